// Copy buttons on blocks of code, and boxes that scroll made reachable with the keyboard.

import { element } from './elements.js';
import { text } from './texts.js';

const shownFor = 2000;

/** Pages that came without TLS have no clipboard of their own; there the text is selected and copied as by hand. */
async function copy(code) {
  if (navigator.clipboard) return navigator.clipboard.writeText(code.textContent);
  getSelection().selectAllChildren(code);
  if (!document.execCommand('copy')) throw new Error('the browser does not copy');
}

function addCopyButton(block) {
  const button = element('button', { type: 'button', class: 'copy', 'aria-live': 'polite' }, text.copy);
  button.addEventListener('click', async () => {
    try {
      await copy(block.querySelector('code'));
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
      for (const [name, value] of Object.entries({ tabindex: '0', role: 'group', 'aria-label': label })) {
        if (scrolls) target.setAttribute(name, value);
        else target.removeAttribute(name);
      }
    }
  });
  for (const box of boxes) observer.observe(box);
}

export function startCode() {
  document.querySelectorAll('.code').forEach(addCopyButton);
  watchOverflow(document.querySelectorAll('.code pre'), text.code);
  watchOverflow(document.querySelectorAll('.table-box'), text.table);
}
