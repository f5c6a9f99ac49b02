// One thing that the user means to do, with an idempotency key of its own: sent again, after a lost answer or a reload of the page,
// it is answered as the first time and moves no money twice.
import { passing } from './shared/store.js';
import { t } from './shared/i18n.js';

const storageName = 'pending-actions';
export const bulkStorageName = 'bulk-recharge';
// The service keeps answers for 24 hours. Sent again later, it would be done again.
const keptFor = 23 * 3600 * 1000;
const attempts = 3;
const longestWait = 60;

/** crypto.randomUUID is only there on https. */
export function makeKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether what was sent at `at` would be answered as then. */
export const isFresh = (each) => Date.now() - each?.at < keptFor;
const readPending = () => (passing.getJson(storageName, Array.isArray) ?? []).filter((each) => each?.key);

function writePending(pending) {
  const text = JSON.stringify(pending);
  if (passing.set(storageName, text)) return;
  // What was pasted can be pasted again; what was begun is known nowhere else.
  const bulk = passing.getJson(bulkStorageName, (kept) => kept instanceof Object);
  if (bulk) passing.set(bulkStorageName, JSON.stringify({ ...bulk, text: '' }));
  passing.set(storageName, text);
}

/** Of the whole account that signs out. */
export function forgetAll() {
  passing.remove(storageName);
  passing.remove(bulkStorageName);
}

/** Whether it may have been done all the same: nobody who knows said no. */
export function isUnsettled({ isNetwork, status, code }) {
  return isNetwork || code === 'not_json' || code === 'idempotency_key_in_use' || (status >= 500 && code !== 'storage_unavailable');
}

const isWorthWaiting = (error) => isUnsettled(error) || ['storage_unavailable', 'rate_limit_exceeded'].includes(error.code);

function pause(seconds, signal) {
  return new Promise((resolve) => {
    setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', resolve, { once: true });
  });
}

export class Intent {
  /** `text` and `values`: what it is called; `owner`: the id of the account that does it. */
  constructor({ method, path, body, text, values, owner, key = makeKey(), at = Date.now(), isPast = false }) {
    Object.assign(this, { method, path, body, text, values, owner, key, at, isPast });
  }

  /** Twice it would be another thing than once. */
  get movesMoney() {
    return this.method === 'delete' || this.body?.CreditGranted !== undefined;
  }

  /**
   * Whether the same, asked for anew, is this one: not where it is past, because something was done to the account since. A state or
   * a limit is never this one either: the answer of then would hide what came between.
   */
  get isReusable() {
    return this.movesMoney && !this.isPast && this.isFresh;
  }

  isAbout({ path, values }) {
    const nameOf = (of) => of?.name?.toLowerCase();
    return (this.path === path && /\d$/.test(path)) || (nameOf(values) !== undefined && nameOf(this.values) === nameOf(values));
  }

  isSameAs({ method, path, body }) {
    return JSON.stringify([this.method, this.path, this.body]) === JSON.stringify([method, path, body]);
  }

  /** Whether it can still be sent again: a page may be left open for days. */
  get isFresh() {
    return isFresh(this);
  }

  remember(isOpen = true) {
    const others = readPending().filter((each) => each.key !== this.key);
    writePending(isOpen ? [...others, this] : others);
  }

  /** It was done: what was begun before with the same account is past. */
  settle() {
    this.forget();
    const pending = readPending();
    if (pending.length) writePending(pending.map((each) => (this.isAbout(each) ? { ...each, isPast: true } : each)));
  }

  forget() {
    this.remember(false);
  }

  call(api) {
    const options = { idempotencyKey: this.key };
    return this.method === 'delete' ? api.delete(this.path, options) : api[this.method](this.path, this.body, options);
  }

  /** Tries again what may help, with the same key. `onWait(seconds)` is told before each wait. */
  async send(api, { signal, onWait = () => {} } = {}) {
    for (let attempt = 1; ; attempt += 1) {
      // At each attempt: a computer may sleep for days in between.
      if (!this.isFresh) throw Object.assign(new Error(t('tooOld')), { code: 'too_old' });
      if (attempt === 1) this.remember();
      try {
        const answer = await this.call(api);
        this.settle();
        return answer;
      } catch (error) {
        if (isUnsettled(error)) this.wasLost = true;
        // After an answer that was lost, a refusal to look at it now says nothing of then.
        this.isOpen = isUnsettled(error) || Boolean(this.wasLost && isWorthWaiting(error));
        if (!this.isOpen) this.forget();
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
