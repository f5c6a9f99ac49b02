// The search index of a language: an entry for each section of each page.

import MarkdownIt from 'markdown-it';
import MiniSearch from 'minisearch';

import { names } from './book.js';
import { outline, plain } from './outline.js';
import { source } from './sources.js';
import { indexOptions } from '../assets/words.js';

const parser = new MarkdownIt();

/** The sections of a page: its beginning, then one for each heading. Words are kept apart from code, which no excerpt shows. */
function sections(language, name) {
  const { title, text } = source(language, name);
  const headings = outline(language, name);
  const found = [{ title, page: title, url: `${name}.html`, text: [], code: [] }];
  const tokens = parser.parse(text, {});
  for (const [at, token] of tokens.entries()) {
    if (token.type === 'heading_open') {
      const heading = headings[found.length - 1];
      found.push({ title: heading.text, page: title, url: `${name}.html#${heading.id}`, text: [], code: [] });
    } else if (token.type === 'inline' && tokens[at - 1].type !== 'heading_open') {
      found.at(-1).text.push(plain(token));
    } else if (token.type === 'fence') {
      found.at(-1).code.push(token.content);
    }
  }
  return found;
}

export function searchIndex(language) {
  const index = new MiniSearch(indexOptions);
  const entries = names.flatMap((name) => sections(language, name));
  index.addAll(entries.map((entry, id) => ({ ...entry, id, text: entry.text.join(' '), code: entry.code.join('\n') })));
  return JSON.stringify(index);
}
