// The Markdown sources of the pages, in both languages.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expand } from './repository.js';

const content = join(import.meta.dirname, '../content');
const known = new Map();

/** Title, description and text of a page. The head of a source is lines `name: value` between two of `---`. */
export function source(language, name) {
  const key = `${language}/${name}`;
  if (!known.has(key)) {
    const [, head, text] = readFileSync(join(content, `${key}.md`), 'utf8').match(/^---\n([^]*?)\n---\n([^]*)$/);
    const fields = Object.fromEntries(head.split('\n').map((line) => line.match(/^(\w+): (.*)$/).slice(1)));
    known.set(key, { ...fields, text: expand(text, language) });
  }
  return known.get(key);
}

/** Forgets what was read: for a build that watches its sources. */
export const forget = () => known.clear();
