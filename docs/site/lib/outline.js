// Headings and their anchors. A heading has the same anchor in both languages, that of the English one, so that a link leads to the
// same place in either; for this the pages of a pair must have the same headings in the same order.

import MarkdownIt from 'markdown-it';

import { source } from './sources.js';

const parser = new MarkdownIt();

/** The words of a paragraph or heading, without what a broken line leaves between Chinese characters. */
export const plain = (inline) =>
  (inline.children ?? [])
    .map((token) => (token.type === 'softbreak' ? '\n' : token.content))
    .join('')
    .replace(/(?<=[\u3000-\u9fff])\n(?=[\u3000-\u9fff])/g, '')
    .replaceAll('\n', ' ');

/** As GitHub makes anchors: lower case, no punctuation, hyphens for spaces. */
const slug = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');

function headings(language, name) {
  const tokens = parser.parse(source(language, name).text, {});
  return tokens.flatMap((token, at) =>
    token.type === 'heading_open' ? [{ level: Number(token.tag.slice(1)), text: plain(tokens[at + 1]) }] : [],
  );
}

/** The headings of a page with `id`, the anchor, and `slug`, what its own language would make of it. */
export function outline(language, name) {
  const own = headings(language, name);
  const english = language === 'en' ? own : headings('en', name);
  const same = own.length === english.length && own.every((heading, at) => heading.level === english[at].level);
  if (!same) throw new Error(`${name}: the headings of both languages do not go together`);
  const taken = new Set();
  return own.map((heading, at) => {
    const id = slug(english[at].text);
    if (!id || taken.has(id)) throw new Error(`en/${name}: two headings '${english[at].text}', or one without letters`);
    taken.add(id);
    return { ...heading, id, slug: slug(heading.text) };
  });
}
