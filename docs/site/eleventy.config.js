// Builds pages/docs from the Markdown in content/; ./scripts/docs runs it. What it writes depends on the sources alone, byte for byte.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { languages, texts } from './lib/book.js';
import { library } from './lib/markdown.js';
import { expand } from './lib/repository.js';
import { searchIndex } from './lib/search.js';
import { forget } from './lib/sources.js';
import { styles } from './lib/styles.js';
import { viewOf } from './lib/view.js';

const require = createRequire(import.meta.url);

/** MiniSearch as the browser loads it, with its licence beside it. */
function copyMiniSearch(assets) {
  const home = dirname(dirname(require.resolve('minisearch')));
  const about = JSON.parse(readFileSync(join(home, '..', 'package.json'), 'utf8'));
  const code = readFileSync(join(home, 'es/index.js'), 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n');
  writeFileSync(
    join(assets, 'minisearch.js'),
    `// MiniSearch ${about.version}, ${about.license} licence: see minisearch.LICENSE.txt\n${code}`,
  );
  copyFileSync(join(home, '..', 'LICENSE.txt'), join(assets, 'minisearch.LICENSE.txt'));
}

/** What the policy of the server would refuse never gets out. */
function refuseInline(html, path) {
  const found = html.match(/\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\ssrc=)|javascript:/i);
  if (found && path?.endsWith('.html'))
    throw new Error(`${path} has '${found[0].trim()}', which its Content-Security-Policy forbids`);
  return html;
}

export default function (eleventy) {
  eleventy.setUseGitIgnore(false);
  eleventy.setQuietMode(true);
  eleventy.setLibrary('md', library);
  eleventy.addPassthroughCopy({ assets: 'assets' });
  eleventy.addGlobalData('texts', texts);
  eleventy.addGlobalData('permalink', () => (data) => `${data.page.filePathStem}.html`);
  eleventy.addGlobalData('eleventyComputed', {
    view: (data) => {
      const [, language, name] = data.page.filePathStem.split('/');
      return languages.includes(language) ? viewOf(language, name) : null;
    },
  });
  eleventy.addPreprocessor('parts', 'md', (data, text) => expand(text, data.page.filePathStem.split('/')[1]));
  eleventy.addTransform('policy', function (html) {
    return refuseInline(html, this.page.outputPath);
  });
  eleventy.on('eleventy.before', forget);
  eleventy.on('eleventy.after', ({ directories }) => {
    const assets = join(directories.output, 'assets');
    mkdirSync(assets, { recursive: true });
    for (const language of languages) writeFileSync(join(assets, `search-${language}.json`), searchIndex(language));
    writeFileSync(join(assets, 'docs.css'), styles());
    copyMiniSearch(assets);
  });

  return {
    dir: { input: 'content', includes: '../layouts', output: process.env.PROXYXAI_DOCS_OUTPUT },
    markdownTemplateEngine: false,
    htmlTemplateEngine: false,
  };
}
