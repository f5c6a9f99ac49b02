// What pages take from the rest of the repository, so that nothing is said twice: its documents and the table of settings.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { settingTexts } from './settings.js';

// The generator runs on a copy of its sources (scripts/docs), so it is told where the repository is.
const root = process.env.PROXYXAI_ROOT;
if (!root) throw new Error('PROXYXAI_ROOT is not set: build with ./scripts/docs');

const read = (name) => readFileSync(join(root, name), 'utf8');

/** A document of docs/ without its comment, title and line of links, which the page around it has in its own way. */
const document = (name) => (language) => {
  const text = read(`docs/${name}${language === 'en' ? '' : '.zh-CN'}.md`);
  const body = text.replace(/^<!--[^]*?-->\s*# [^\n]+\n+\[[^\n]+\n+/, '');
  if (body === text) throw new Error(`docs/${name}.md does not begin as it did: see lib/repository.js`);
  // Pages link to pages of their own language.
  return body.replaceAll('.zh-CN.md', '.md');
};

/** The rows of the README's table of settings, which a test holds against the program: name, default, allowed, what it is. */
function settingRows() {
  const table = read('README.md').split('\n## Settings\n')[1] ?? '';
  return [...table.matchAll(/^\| (`[A-Z_]+`) \| (.*?) \| (.*?) \| (.*?) \|$/gm)].map(([, ...cells]) => cells);
}

function settings(language) {
  const rows = new Map(settingRows().map((row) => [row[0].slice(1, -1), row]));
  const { groups, heads, chinese } = settingTexts;
  const placed = groups.flatMap((group) => group.names);
  const missing = [...rows.keys()].filter((name) => !placed.includes(name) || !chinese[name]);
  const extra = [...placed, ...Object.keys(chinese)].filter((name) => !rows.has(name));
  if (missing.length + extra.length)
    throw new Error(`lib/settings.js and README.md differ in ${[...missing, ...extra].join(', ')}`);

  const row = (name) => {
    const [shown, value, allowed, about] = rows.get(name);
    const [allowedChinese, aboutChinese] = chinese[name];
    return language === 'en'
      ? `| ${shown} | ${value} | ${about} | ${allowed} |`
      : `| ${shown} | ${value} | ${aboutChinese} | ${allowedChinese} |`;
  };
  return groups
    .map((group) =>
      [
        `## ${group.title[language]}`,
        '',
        `| ${heads[language].join(' | ')} |`,
        '|---|---|---|---|',
        ...group.names.map(row),
      ].join('\n'),
    )
    .join('\n\n');
}

const parts = { 'management api': document('api'), operations: document('operations'), settings };

/** Puts in place of `<!-- NAME -->` what NAME stands for. */
export function expand(text, language) {
  return text.replace(/^<!-- (.+) -->$/gm, (_, name) => {
    if (!parts[name]) throw new Error(`There is no part '${name}'`);
    return parts[name](language);
  });
}
