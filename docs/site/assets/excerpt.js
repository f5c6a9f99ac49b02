// The piece of a text that shows why it was found, its words marked.

import { element } from './elements.js';

const before = 40;
const length = 160;

/** Where words begin in a text, in order, each the longest that begins there. */
function places(text, words) {
  const lower = text.toLowerCase();
  const found = [];
  for (const word of words) {
    const wanted = word.toLowerCase();
    for (let at = lower.indexOf(wanted); at >= 0; at = lower.indexOf(wanted, at + 1))
      found.push({ from: at, to: at + wanted.length });
  }
  return found.sort((one, other) => one.from - other.from || other.to - one.to);
}

/** The text as nodes, with the words in <mark>; pairs of Chinese characters that overlap become one mark. */
export function marked(text, words) {
  const nodes = [];
  let end = 0;
  for (const { from, to } of places(text, words)) {
    if (to <= end) continue;
    const start = Math.max(from, end);
    if (from < end) nodes.at(-1).append(text.slice(start, to));
    else nodes.push(text.slice(end, from), element('mark', {}, text.slice(from, to)));
    end = to;
  }
  nodes.push(text.slice(end));
  return nodes;
}

export function excerpt(text, words) {
  const first = places(text, words)[0]?.from ?? 0;
  const from = Math.max(0, first - before);
  const piece = text.slice(from, from + length);
  return [from > 0 ? '…' : '', ...marked(piece, words), from + length < text.length ? '…' : ''];
}
