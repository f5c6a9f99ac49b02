// Virtual keys in this browser: found in pasted text, shown short, and kept where the user said.
import { lasting, passing } from './store.js';

/** All virtual keys in a text, each once, in their order. */
export function findKeys(text) {
  return [...new Set(String(text).match(/sk-Xvs[A-Za-z0-9]{45}(?![A-Za-z0-9])/g) ?? [])];
}

export function shorten(key) {
  return `sk-Xvs…${String(key).slice(-4)}`;
}

/** The one key a page works with: for this tab, or remembered on this computer. */
export class KeyChoice {
  #name;

  constructor(name) {
    this.#name = name;
  }

  get key() {
    return passing.get(this.#name) ?? lasting.get(this.#name);
  }

  get isRemembered() {
    return lasting.get(this.#name) !== null;
  }

  set(key, remember = false) {
    this.clear();
    (remember ? lasting : passing).set(this.#name, key);
  }

  clear() {
    passing.remove(this.#name);
    lasting.remove(this.#name);
  }
}

/** Many keys, kept in this browser until they are removed; other tabs see changes at once. */
export class KeyList {
  #name;

  constructor(name) {
    this.#name = name;
  }

  /** What is stored is read as pasted text is: whatever else got there is no key. */
  all() {
    return findKeys(lasting.get(this.#name) ?? '');
  }

  /** Adds at the end; gives those that were not there yet. */
  add(keys) {
    const kept = this.all();
    const added = keys.filter((key) => !kept.includes(key));
    this.#store([...kept, ...added]);
    return added;
  }

  remove(key) {
    this.#store(this.all().filter((each) => each !== key));
  }

  clear() {
    this.#store([]);
  }

  onChangeElsewhere(listener) {
    window.addEventListener('storage', (event) => {
      if (event.key === this.#name || event.key === null) listener();
    });
  }

  #store(keys) {
    if (keys.length) lasting.set(this.#name, keys.join('\n'));
    else lasting.remove(this.#name);
  }
}
