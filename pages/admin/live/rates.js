// What happened between two polls of /x-stats. Counters run since the daemon's start, so everything here is a difference.

/** Differences of the numbers in two objects, name by name. */
function differences(newer = {}, older = {}) {
  const result = {};
  for (const [name, value] of Object.entries(newer)) result[name] = value - (older[name] ?? 0);
  return result;
}

const buckets = (newer = [], older = []) => newer.map((count, i) => count - (older[i] ?? 0));

export const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);

/** The value below which a share `q` of the counted lies, even inside its bucket; null of nothing. */
export function quantile(counts, bounds, q) {
  const total = sum(counts);
  if (!(total > 0)) return null;
  let before = 0;
  for (let i = 0; i < counts.length; i += 1) {
    if (before + counts[i] >= q * total && counts[i] > 0) {
      if (i >= bounds.length) return { seconds: bounds.at(-1), isBeyond: true };
      const low = i === 0 ? 0 : bounds[i - 1];
      return { seconds: low + (bounds[i] - low) * (q * total - before) / counts[i], isBeyond: false };
    }
    before += counts[i];
  }
  return null;
}

/**
 * What happened from `older` to `newer`, each with `at`, the second at which it came: the daemon's own clock is told in whole seconds.
 * Calls of the management, this page's own among them, are no requests here: they are counted apart.
 */
export function between(older, newer) {
  const seconds = newer.at - older.at;
  const requests = differences(newer.Requests, older.Requests);
  const attempts = differences(newer.Attempts, older.Attempts);
  const retries = differences(newer.Retries, older.Retries);
  const latency = (name) => buckets(newer.Latency?.[name], older.Latency?.[name]);
  return {
    seconds, requests, attempts, retries,
    byEndpoint: differences(newer.ByEndpoint, older.ByEndpoint),
    refusals: differences(newer.Refusals, older.Refusals),
    perSecond: seconds > 0 ? requests.Total / seconds : null,
    retried: sum(retries),
    total: latency('Total'), firstByte: latency('FirstByte'), added: latency('Added'),
    bounds: newer.Latency?.Bounds ?? [],
  };
}

/** The last polls, for windows of time. Starts anew when the daemon has, and when nobody looked for a while. */
export class History {
  constructor(seconds, gap) {
    this.seconds = seconds;
    this.gap = gap;
    this.polls = [];
  }

  add(stats, at) {
    const last = this.polls.at(-1);
    if (last && (last.StartedAt !== stats.StartedAt || at - last.at > this.gap)) this.polls = [];
    this.polls.push({ ...stats, at });
    while (at - this.polls[0].at > this.seconds) this.polls.shift();
  }

  /** What happened in the last `seconds`; null before the second poll. */
  last(seconds) {
    const newest = this.polls.at(-1);
    if (this.polls.length < 2) return null;
    const older = this.polls.find((each) => newest.at - each.at <= seconds + 0.5);
    return between(older === newest ? this.polls.at(-2) : older, newest);
  }
}
