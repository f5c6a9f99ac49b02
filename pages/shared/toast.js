// Short messages in the corner, read out by screen readers, gone after a while.
import { h } from './dom.js';

let box;

export function toast(text, kind = '') {
  if (!box?.isConnected) {
    box = h('div', { class: 'toasts', role: 'status', 'aria-live': 'polite' });
    document.body.append(box);
  }
  const message = h('div', { class: `toast notice ${kind}` }, text);
  box.append(message);
  setTimeout(() => message.remove(), kind === 'bad' ? 12_000 : 6000);
}
