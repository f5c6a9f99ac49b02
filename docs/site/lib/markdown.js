// Markdown to HTML that works under a strict Content-Security-Policy: colours by classes, nothing inline.

import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import ini from 'highlight.js/lib/languages/ini';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import nginx from 'highlight.js/lib/languages/nginx';
import python from 'highlight.js/lib/languages/python';
import yaml from 'highlight.js/lib/languages/yaml';
import MarkdownIt from 'markdown-it';

import { names, texts } from './book.js';
import { outline } from './outline.js';

const grammars = { sh: bash, ini, js: javascript, json, nginx, python, yaml };
for (const [name, grammar] of Object.entries(grammars)) hljs.registerLanguage(name, grammar);

/** Where a link of a page leads: `start.md#first-call` of the sources to `start.html#first-call`, checked. */
function resolve(href, language, name) {
  if (/^(https?|mailto):/.test(href)) return href;
  const [, file, fragment] = href.match(/^([^#]*)(?:#(.*))?$/);
  const target = file ? file.replace(/\.md$/, '') : name;
  if (!names.includes(target)) throw new Error(`${language}/${name}: a link to '${href}', which is no page`);
  if (!fragment) return `${target}.html`;
  const wanted = decodeURIComponent(fragment);
  const heading = outline(language, target).find((each) => each.id === wanted || each.slug === wanted);
  if (!heading) throw new Error(`${language}/${name}: a link to '${href}', which is no heading`);
  return `${file ? `${target}.html` : ''}#${heading.id}`;
}

function place(env) {
  const [, language, name] = env.page.filePathStem.split('/');
  return { language, name };
}

function codeBlock(tokens, at) {
  const [grammar = 'text'] = tokens[at].info.split(' ');
  const code = grammar in grammars ? hljs.highlight(tokens[at].content, { language: grammar }).value : escape(tokens[at].content);
  return `<div class="code" translate="no"><pre><code class="language-${grammar}">${code}</code></pre></div>\n`;
}

const markdown = new MarkdownIt({ html: false });
const { escapeHtml: escape } = markdown.utils;
const rules = markdown.renderer.rules;

rules.fence = codeBlock;
rules.table_open = () => '<div class="table-box">\n<table>\n';
rules.table_close = () => '</table>\n</div>\n';
rules.th_open = () => '<th scope="col">';
rules.td_open = () => '<td>';

rules.heading_open = (tokens, at, _, env) => {
  const { language, name } = place(env);
  env.outline ??= outline(language, name);
  env.headings = (env.headings ?? 0) + 1;
  return `<${tokens[at].tag} id="${env.outline[env.headings - 1].id}">`;
};
rules.heading_close = (tokens, at, _, env) => {
  const { language } = place(env);
  const heading = env.outline[env.headings - 1];
  const label = escape(`${texts[language].anchor}: ${heading.text}`);
  return ` <a class="anchor" href="#${heading.id}" aria-label="${label}">#</a></${tokens[at].tag}>\n`;
};

rules.link_open = (tokens, at, options, env, self) => {
  const { language, name } = place(env);
  tokens[at].attrSet('href', resolve(tokens[at].attrGet('href'), language, name));
  return self.renderToken(tokens, at, options);
};

/** Chinese has no spaces, so a line that is broken within Chinese is no place for one. */
markdown.core.ruler.push('chinese lines', (state) => {
  for (const { children } of state.tokens.filter((token) => token.type === 'inline')) {
    for (const [at, token] of children.entries()) {
      const isWithinChinese =
        /[\u3000-\u9fff\uff00-\uffef,;:.]$/.test(children[at - 1]?.content) &&
        /^[\u3000-\u9fff\uff00-\uffef]/.test(children[at + 1]?.content);
      if (token.type === 'softbreak' && isWithinChinese) token.type = 'text';
    }
  }
});

/** Eleventy's idea of a Markdown library. Each page gets an environment of its own. */
export const library = {
  render: (text, data) => markdown.render(text, { page: data.page }),
  set: () => {},
};
