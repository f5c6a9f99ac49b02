// The order in which accounts are listed: a tree, sorted among siblings, with what the search leaves. No DOM here.

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** The id of the account above: the last but one of its ".1.4.7.". */
export const parentOf = (row) => Number(row.DNA.split('.').at(-3));

function matcherOf({ search, status }) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => {
    if (status !== 'all' && row.Status !== (status === 'on')) return false;
    const hay = [row.ID, row.Name, row.Alias, row.Email, row.PartialKey].join('\n').toLowerCase();
    return words.every((word) => hay.includes(word));
  };
}

function comparatorOf({ sort, descending }) {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const order = typeof a[sort] === 'string' ? collator.compare(a[sort], b[sort]) : a[sort] - b[sort];
    return order * sign || b.ID - a.ID;
  };
}

/** The matching accounts and all above them, so that each is seen in its place. */
function withAncestors(rows, matches) {
  const kept = new Set();
  for (const row of matches) {
    for (let each = row; each && !kept.has(each.ID); each = rows.get(parentOf(each))) kept.add(each.ID);
  }
  return kept;
}

/**
 * Lines in their order: {row, depth, hasInner, isOpen, isMatch}, and how many match. `rows` is a Map by id, `view` is {search, status,
 * sort, descending, open (a Set of ids)}. What is looked for is shown opened up.
 */
export function orderOf(rows, view) {
  const isFiltered = view.search.trim() !== '' || view.status !== 'all';
  const all = [...rows.values()];
  const matches = isFiltered ? all.filter(matcherOf(view)) : all;
  const matched = new Set(matches.map((row) => row.ID));
  const kept = isFiltered ? withAncestors(rows, matches) : matched;
  const groups = Map.groupBy(all.filter((row) => kept.has(row.ID)), (row) => (rows.has(parentOf(row)) ? parentOf(row) : 0));
  const compare = comparatorOf(view);
  const lines = [];
  // By hand instead of by recursion: a chain of accounts may be deeper than the stack.
  const waiting = [(groups.get(0) ?? []).sort(compare).values()];
  while (waiting.length) {
    const { done, value: row } = waiting.at(-1).next();
    if (done) {
      waiting.pop();
      continue;
    }
    const inner = groups.get(row.ID);
    const isOpen = Boolean(inner) && (isFiltered || view.open.has(row.ID));
    lines.push({ row, depth: waiting.length - 1, hasInner: Boolean(inner), isOpen, isMatch: matched.has(row.ID) });
    if (isOpen) waiting.push(inner.sort(compare).values());
  }
  return { lines, matches: matches.length };
}
