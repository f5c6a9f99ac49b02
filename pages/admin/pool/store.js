// The keys of the pool as the daemon last told them, all of them: search and sorting go over what is here.

const pageSize = 1000;

export class KeyStore {
  constructor(app) {
    this.app = app;
    this.keys = new Map();
    this.touched = new Map();
  }

  /** Reads the whole pool, in pages. Keys of 5,000 are 2 MB, so a big pool is read less often: see `pause`. */
  async read(signal) {
    this.touched.clear();
    const fresh = new Map();
    for (let page = 1; ; page += 1) {
      const keys = await this.app.api.get('/x-keys', { page, size: pageSize }, { signal });
      keys.forEach((key) => fresh.set(key.ID, key));
      if (keys.length < pageSize) return fresh;
    }
  }

  take(fresh) {
    this.keys = fresh;
    this.isKnown = true;
    // What was done here while that was on its way is newer.
    for (const [id, key] of this.touched) key ? this.keys.set(id, key) : this.keys.delete(id);
  }

  put(key) {
    this.keys.set(key.ID, key);
    this.touched.set(key.ID, key);
  }

  delete(id) {
    this.keys.delete(id);
    this.touched.set(id, null);
  }

  pause() {
    return 5000 * Math.max(1, Math.ceil(this.keys.size / pageSize));
  }

  all() {
    return [...this.keys.values()];
  }

  providers() {
    return [...new Set(this.all().map((key) => key.Provider))].sort();
  }

  levels() {
    return [...new Set(this.all().map((key) => key.Level))].sort((a, b) => a - b);
  }
}

/** Keys that fit `{state, provider, level, words}`; every word must be in what is shown of a key, `…abcd` is its end. */
export function matching(keys, { state, provider, level, words }) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return keys.filter((key) => {
    if (state && key.State !== state) return false;
    if (provider && key.Provider !== provider) return false;
    if (level !== '' && key.Level !== Number(level)) return false;
    if (!wanted.length) return true;
    const text = `${key.Name}\n${key.PartialKey}\n#${key.ID}\n${key.Provider}\n${key.State}\n${key.Reason}`.toLowerCase();
    return wanted.every((word) => (/^(…|\.\.)/.test(word) ? key.PartialKey.toLowerCase().endsWith(word.replace(/^[….]+/, '')) : text.includes(word)));
  });
}

const orders = {
  id: (key) => key.ID,
  name: (key) => key.Name.toLowerCase(),
  state: (key) => ['dead', 'exhausted', 'resting', 'cooling', 'excluded', 'disabled', 'active'].indexOf(key.State),
  level: (key) => key.Level,
  requests: (key) => key.Requests,
  failures: (key) => key.Failures,
  used: (key) => (key.LastUsedAt ? Date.parse(key.LastUsedAt) : 0),
};

/** A sorted copy; equals keep the order of their ids. */
export function sorted(keys, { by, isDown }) {
  const value = orders[by];
  const sign = isDown ? -1 : 1;
  const compare = (a, b) => (a < b ? -1 : Number(a > b));
  return [...keys].sort((a, b) => sign * compare(value(a), value(b)) || a.ID - b.ID);
}
