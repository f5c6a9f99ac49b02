// One key of the list, and what the API tells of its account.
import { Api, ApiError, isAborted } from './shared/api.js';
import { shorten } from './shared/keys.js';

export class Account {
  info = null;
  error = null;
  isLoading = false;
  asked = null;

  constructor(key) {
    this.key = key;
    this.api = new Api(key);
  }

  /** What to call it: its alias, its name, or what is known of its key. */
  get title() {
    return this.info?.alias || this.info?.name || shorten(this.key);
  }

  /** Root pays for nothing: its balance is no sum of money. */
  get isRoot() {
    return this.info.level === 0;
  }

  get isOverLimit() {
    return this.info.hard_limit > 0 && this.info.monthly_usage.CreditUsed >= this.info.hard_limit;
  }

  /** Asks anew. What was known stays when the API cannot be reached, beside the error. */
  async load(signal) {
    this.isLoading = true;
    try {
      const info = await this.api.get('/dashboard/x_user/info', {}, { signal });
      // Whatever else answers in JSON knows nothing of accounts.
      if (!info?.monthly_usage) throw new ApiError({ status: 200, code: 'not_json' });
      this.info = info;
      this.asked = Date.now();
      this.error = null;
    } catch (error) {
      if (isAborted(error)) return;
      this.error = error;
      if (!error.isNetwork) this.info = null;
    } finally {
      this.isLoading = false;
    }
  }
}

/** Runs work(item) for all of them, a few at a time. */
export async function inTurn(items, work, atOnce = 4) {
  const waiting = [...items];
  const run = async () => {
    for (let item = waiting.shift(); item; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, run));
}
