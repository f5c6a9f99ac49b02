// Questions and secrets in <dialog>, which keeps the focus inside and gives it back where it was.
import { fill, h } from './dom.js';
import { t } from './i18n.js';

let count = 0;

function open(title, content, buttons, options = {}) {
  const id = `dialog-${++count}`;
  const dialog = h('dialog', { 'aria-labelledby': id, class: options.class },
    h('form', { method: 'dialog' },
      h('h2', { id }, title),
      h('div', { class: 'dialog-body' }, content),
      h('div', { class: 'dialog-buttons' }, buttons)));
  document.body.append(dialog);
  // The key that opened it, still held down, is no answer to what is asked.
  dialog.addEventListener('keydown', (event) => {
    if (event.repeat && ['Enter', ' '].includes(event.key)) event.preventDefault();
  });
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      // Browsers close it at the second Escape whatever a page says: one that is to stay comes back.
      if (options.stay && !dialog.returnValue) {
        dialog.showModal();
        return;
      }
      dialog.remove();
      resolve(dialog.returnValue);
    });
    dialog.showModal();
    options.focus?.focus();
  });
}

/** Asks before something is done. `body`: text or nodes. What is dangerous is not what Enter does. */
export async function confirmDialog({ title, body, confirm = t('confirm'), danger = false }) {
  const cancel = h('button', { class: 'button', value: 'no', type: 'submit', formnovalidate: true }, t('cancel'));
  const go = h('button', { class: `button ${danger ? 'danger' : 'primary'}`, value: 'yes', type: 'submit' }, confirm);
  const answer = await open(title, body, [cancel, go], { focus: danger ? cancel : go });
  return answer === 'yes';
}

/** Shows a key that cannot be shown again. Escape does not close it: the key would be lost. */
export async function showSecret({ title, secret, note = t('secret.once'), more = [] }) {
  const input = h('input', { readonly: true, value: secret, 'aria-label': t('secret.label'), class: 'secret', spellcheck: 'false' });
  const said = h('span', { role: 'status', class: 'muted' });
  const copy = h('button', { class: 'button primary', type: 'button', on: { click: () => copyText(secret, input, said) } }, t('copy'));
  const done = h('button', { class: 'button', value: 'done', type: 'submit' }, t('secret.done'));
  await open(title, [h('p', {}, note), h('div', { class: 'row' }, input, copy), said, more], [done], { stay: true, focus: copy });
}

/** Copies, or leaves the text selected for the user to copy. */
async function copyText(text, input, said) {
  try {
    await navigator.clipboard.writeText(text);
    fill(said, t('copied'));
  } catch {
    // Browsers keep the clipboard from pages without TLS.
    input.focus();
    input.select();
    fill(said, t(document.execCommand('copy') ? 'copied' : 'copyFailed'));
  }
}
