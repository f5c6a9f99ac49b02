// Gives pasted keys to the daemon in batches, so that there is progress and a verdict for each.

// Asking upstream takes the daemon up to 15 s a key, one after the other, so keys that are asked about go alone, some at a time.
const together = { plain: { size: 100, lanes: 1 }, verified: { size: 1, lanes: 4 } };

/** Sets the verdicts of `entries` out of the answer to the call that held them. */
function judge(entries, answer) {
  // Ids only grow, so the newest of the answer are those that were added.
  const ids = [...new Set(answer.Keys.map((key) => key.ID))].sort((a, b) => b - a);
  const added = new Set(ids.slice(0, answer.Added));
  const keys = [...answer.Keys];
  const rejected = [...(answer.Rejected ?? [])];
  for (const entry of entries) {
    if (rejected.length && (!keys.length || rejected[0].PartialKey === entry.tail)) {
      entry.verdict = 'refused';
      entry.reason = rejected.shift().Reason;
    } else {
      const key = keys.shift();
      entry.verdict = added.has(key.ID) ? 'added' : 'existing';
      entry.id = key.ID;
    }
  }
}

export class KeyLoader {
  /** `common` are fields that hold for all keys; `onProgress(done, keys)` gets what the daemon now says of them. */
  constructor(api, { verify, common, onProgress }) {
    Object.assign(this, { api, verify, common, onProgress });
    this.done = 0;
    this.aborter = new AbortController();
  }

  stop() {
    this.aborter.abort();
  }

  /** Ends when all have a verdict; throws what keeps the rest from getting one. */
  async run(entries) {
    const { size, lanes } = this.verify ? together.verified : together.plain;
    const queue = [];
    for (let i = 0; i < entries.length; i += size) queue.push(entries.slice(i, i + size));
    const lane = async () => {
      while (queue.length && !this.aborter.signal.aborted) await this.send(queue.shift());
    };
    try {
      await Promise.all(Array.from({ length: lanes }, lane));
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  async send(batch) {
    const left = batch.filter((entry) => !entry.verdict);
    if (!left.length) return;
    let keys = [];
    try {
      const body = { ...this.common, SecretKeys: left.map((entry) => entry.text), ...(this.verify && { Verify: true }) };
      const answer = await this.api.post('/x-keys', body, { signal: this.aborter.signal });
      keys = answer.Keys;
      judge(left, answer);
    } catch (error) {
      // One key that the daemon cannot read keeps out its whole batch: it is named, and the others go again.
      const place = /^SecretKeys\[(\d+)\]/.exec(error.param ?? '');
      if (error.status !== 400 || !place || !left[place[1]]) throw error;
      const entry = left[place[1]];
      entry.verdict = 'refused';
      entry.words = error.message;
      await this.send(left);
    }
    const judged = left.filter((entry) => entry.verdict && !entry.isCounted);
    judged.forEach((entry) => { entry.isCounted = true; });
    this.done += judged.length;
    this.onProgress(this.done, keys);
  }
}
