// Copy buttons on blocks of code, and boxes that scroll made reachable with the keyboard.

import { element } from './elements.js';
import { text } from './texts.js';

const shownFor = 2000;

function addCopyButton(block) {
  const button = element('button', { type: 'button', class: 'copy', 'aria-live': 'polite' }, text.copy);
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(block.querySelector('code').textContent);
      button.textContent = text.copied;
    } catch {
      button.textContent = text.copyFailed;
    }
    setTimeout(() => (button.textContent = text.copy), shownFor);
  });
  block.append(button);
}

function watchOverflow(boxes, label) {
  const observer = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const scrolls = target.scrollWidth > target.clientWidth;
      for (const [name, value] of Object.entries({ tabindex: '0', role: 'region', 'aria-label': label })) {
        if (scrolls) target.setAttribute(name, value);
        else target.removeAttribute(name);
      }
    }
  });
  for (const box of boxes) observer.observe(box);
}

export function startCode() {
  // Without a secure context there is no clipboard to write to.
  if (navigator.clipboard) document.querySelectorAll('.code').forEach(addCopyButton);
  watchOverflow(document.querySelectorAll('.code pre'), text.code);
  watchOverflow(document.querySelectorAll('.table-box'), text.table);
}
