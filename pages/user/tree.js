// The order in which accounts are listed: a tree, sorted among siblings, with what the search leaves. No DOM here.

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

/** The id of the account above: the last but one of its ".1.4.7.". */
export function parentOf(row) {
  const ids = String(row.DNA ?? '').split('.').filter(Boolean);
  return Number(ids.at(-2) ?? 0);
}

/** What the search looks through; kept, for ten thousand rows are looked through at each key pressed. */
const haystacks = new WeakMap();

function haystackOf(row) {
  let hay = haystacks.get(row);
  if (hay === undefined) {
    hay = [row.ID, row.Name, row.Alias, row.Email, row.PartialKey].join('\n').toLowerCase();
    haystacks.set(row, hay);
  }
  return hay;
}

function matcherOf({ search, status }) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => {
    if (status === 'on' && !row.Status) return false;
    if (status === 'off' && row.Status) return false;
    const hay = words.length ? haystackOf(row) : '';
    return words.every((word) => hay.includes(word));
  };
}

function comparatorOf(sort, descending) {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const x = a[sort];
    const y = b[sort];
    const order = typeof x === 'string' ? collator.compare(x, String(y)) : Number(x) - Number(y);
    return order * sign || b.ID - a.ID;
  };
}

function childrenByParent(rows) {
  const groups = new Map();
  for (const row of rows.values()) {
    const parent = parentOf(row);
    if (!groups.has(parent)) groups.set(parent, []);
    groups.get(parent).push(row);
  }
  return groups;
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
 * Lines in their order: {row, depth, inner (how many children are loaded), isOpen, isMatch}. `rows` is a Map by id, `view` is
 * {search, status, sort, descending, open (a Set of ids)}. What is looked for is shown opened up.
 */
export function orderOf(rows, view) {
  const isFiltered = view.search.trim() !== '' || view.status !== 'all';
  const matches = isFiltered ? [...rows.values()].filter(matcherOf(view)) : [];
  const matched = new Set(matches.map((row) => row.ID));
  const kept = isFiltered ? withAncestors(rows, matches) : null;
  const groups = childrenByParent(rows);
  const compare = comparatorOf(view.sort, view.descending);
  const tops = [...rows.values()].filter((row) => !rows.has(parentOf(row)));
  const lines = [];
  // By hand instead of by recursion: a chain of accounts may be deeper than the stack.
  const waiting = [{ group: tops.sort(compare), next: 0 }];
  while (waiting.length) {
    const level = waiting.at(-1);
    if (level.next === level.group.length) {
      waiting.pop();
      continue;
    }
    const row = level.group[level.next++];
    if (kept && !kept.has(row.ID)) continue;
    const inner = groups.get(row.ID) ?? [];
    const isOpen = inner.length > 0 && (isFiltered ? inner.some((each) => kept.has(each.ID)) : view.open.has(row.ID));
    lines.push({ row, depth: waiting.length - 1, inner: inner.length, isOpen, isMatch: !kept || matched.has(row.ID) });
    if (isOpen) waiting.push({ group: inner.sort(compare), next: 0 });
  }
  return { lines, matches: isFiltered ? matches.length : rows.size };
}
