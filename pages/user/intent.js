// One thing that the user means to do, with an idempotency key of its own: sent again, after a lost answer or a reload of the page,
// it is answered as the first time and moves no money twice.

import { passing } from './shared/store.js';

const storageName = 'pending-actions';
const keptFor = 23 * 3600 * 1000;
const attempts = 3;
const longestWait = 60;

export function makeKey() {
  // crypto.randomUUID is only there on https.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function readPending() {
  try {
    return JSON.parse(passing.get(storageName) ?? '[]').filter((each) => Date.now() - each.at < keptFor);
  } catch {
    return [];
  }
}

function writePending(list) {
  passing.set(storageName, JSON.stringify(list));
}

/** Whether it may have been done all the same: nobody who knows said no. */
export function isUnsettled(error) {
  return error.isNetwork || error.code === 'not_json' || error.code === 'idempotency_key_in_use'
    || (error.status >= 500 && error.code !== 'storage_unavailable');
}

function isWorthWaiting(error) {
  return isUnsettled(error) || error.code === 'storage_unavailable' || error.code === 'rate_limit_exceeded';
}

function pause(seconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}

export class Intent {
  /** `label` and `values`: the text that says what it is; `owner`: the id of the account that does it. */
  constructor({ method, path, body, label, values, owner, key = makeKey(), at = Date.now() }) {
    Object.assign(this, { method, path, body, label, values, owner, key, at });
  }

  isSameAs(method, path, body) {
    return this.method === method && this.path === path && JSON.stringify(this.body) === JSON.stringify(body);
  }

  remember() {
    const rest = readPending().filter((each) => each.key !== this.key);
    writePending([...rest, { ...this }]);
  }

  forget() {
    writePending(readPending().filter((each) => each.key !== this.key));
  }

  call(api) {
    const options = { idempotencyKey: this.key };
    if (this.method === 'DELETE') return api.delete(this.path, options);
    return this.method === 'PUT' ? api.put(this.path, this.body, options) : api.post(this.path, this.body, options);
  }

  /** Tries again what may help, with the same key. `onWait(seconds)` is told before each wait. */
  async send(api, { signal, onWait = () => {} } = {}) {
    this.remember();
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await this.call(api);
        this.forget();
        return answer;
      } catch (error) {
        if (isUnsettled(error)) this.wasLost = true;
        else this.forget();
        if (attempt === attempts || !isWorthWaiting(error) || signal?.aborted) throw error;
        const seconds = Math.min(error.retryAfter || attempt, longestWait);
        onWait(seconds);
        await pause(seconds, signal);
        if (signal?.aborted) throw error;
      }
    }
  }
}

/** What this account began in this tab without learning how it ended. */
export function pendingOf(owner) {
  return readPending().filter((each) => each.owner === owner).map((each) => new Intent(each));
}
