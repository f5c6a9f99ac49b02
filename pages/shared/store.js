// localStorage and sessionStorage, which a browser may forbid: then a value lasts as long as the page.

class Store {
  #storage;
  #memory = new Map();

  constructor(name) {
    try {
      this.#storage = window[name];
    } catch {
      this.#storage = null;
    }
  }

  get(name) {
    if (this.#memory.has(name)) return this.#memory.get(name);
    try {
      return this.#storage?.getItem(name) ?? null;
    } catch {
      return null;
    }
  }

  set(name, value) {
    this.#memory.delete(name);
    try {
      this.#storage.setItem(name, value);
    } catch {
      this.#memory.set(name, value);
    }
  }

  remove(name) {
    this.#memory.delete(name);
    try {
      this.#storage?.removeItem(name);
    } catch {
      // Nothing was kept there.
    }
  }
}

export const lasting = new Store('localStorage');
export const passing = new Store('sessionStorage');
