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

  /** What was kept as JSON. What is broken, or not `isGood`, is dropped: null, as if there were nothing. */
  getJson(name, isGood) {
    const text = this.get(name);
    if (text === null) return null;
    try {
      const value = JSON.parse(text);
      if (isGood(value)) return value;
    } catch {
      // It was cut off, or is somebody else's.
    }
    this.remove(name);
    return null;
  }

  /** False where it lasts only as long as the page: it is forbidden, or the browser's room is full. */
  set(name, value) {
    this.#memory.delete(name);
    try {
      this.#storage.setItem(name, value);
      return true;
    } catch {
      this.#memory.set(name, value);
      return false;
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
