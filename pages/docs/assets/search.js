// Search in the reader's language, in an index that was made with the pages and is loaded when it is first asked for.

import { byId, element } from './elements.js';
import { excerpt, marked } from './excerpt.js';
import { language, text } from './texts.js';
import { indexOptions, wordsSearched } from './words.js';

const mostShown = 20;
let loading = null;

async function load() {
  const [{ default: MiniSearch }, answer] = await Promise.all([
    import('./minisearch.js'),
    fetch(new URL(`search-${language}.json`, import.meta.url)),
  ]);
  if (!answer.ok) throw new Error(`the index answered ${answer.status}`);
  return MiniSearch.loadJSON(await answer.text(), indexOptions);
}

function index() {
  // A load that failed is tried again the next time.
  loading ??= load().catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** All of the words, or where no section has them all, any of them. */
function find(miniSearch, words) {
  const all = miniSearch.search(words);
  return all.length ? all : miniSearch.search(words, { combineWith: 'OR' });
}

function resultItem(result) {
  // What of the text matched, be it by its beginning or by likeness only.
  const words = result.terms;
  const where = result.title === result.page ? [] : [element('span', { class: 'search-page' }, result.page)];
  return element(
    'li',
    {},
    element(
      'a',
      { href: result.url },
      ...where,
      element('strong', {}, ...marked(result.title, words)),
      element('span', { class: 'search-excerpt' }, ...excerpt(result.text, words)),
    ),
  );
}

class SearchDialog {
  constructor() {
    this.dialog = byId('search');
    this.input = byId('search-words');
    this.status = byId('search-status');
    this.results = byId('search-results');
    this.input.addEventListener('input', () => this.show());
    this.dialog.addEventListener('keydown', (event) => this.move(event));
    this.dialog.addEventListener('click', (event) => this.closeOutside(event));
    this.results.addEventListener('click', (event) => event.target.closest('a') && this.dialog.close());
    byId('search-close').addEventListener('click', () => this.dialog.close());
  }

  open() {
    if (this.dialog.open) return;
    this.dialog.showModal();
    this.input.focus();
    this.input.select();
    this.show();
  }

  async show() {
    const asked = this.input.value.trim();
    const words = wordsSearched(asked);
    if (!words.length) return this.fill([], text.hint);
    try {
      if (!this.results.childElementCount) this.status.textContent = text.loading;
      const found = find(await index(), asked);
      // Meanwhile something else may have been typed.
      if (this.input.value.trim() !== asked) return;
      const items = found.slice(0, mostShown).map(resultItem);
      this.fill(items, found.length ? text.found(found.length) : text.nothing(asked));
    } catch {
      this.fill([], text.failed);
    }
  }

  fill(items, status) {
    this.results.replaceChildren(...items);
    this.status.textContent = status;
  }

  /** Arrows go through the results, Enter in the field opens the first, Escape closes at once instead of emptying the field. */
  move(event) {
    if (event.key === 'Escape' && !event.isComposing) {
      event.preventDefault();
      return this.dialog.close();
    }
    const links = [...this.results.querySelectorAll('a')];
    const at = links.indexOf(document.activeElement);
    if (event.key === 'Enter' && event.target === this.input && !event.isComposing) links[0]?.click();
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const next = at + (event.key === 'ArrowDown' ? 1 : -1);
    if (next < 0) this.input.focus();
    else links[Math.min(next, links.length - 1)]?.focus();
  }

  closeOutside(event) {
    if (event.target === this.dialog) this.dialog.close();
  }
}

const isTyping = (target) => target.closest?.('input, textarea, select, [contenteditable]');

export function startSearch() {
  const search = new SearchDialog();
  const button = byId('search-open');
  button.hidden = false;
  button.addEventListener('click', () => search.open());
  addEventListener('keydown', (event) => {
    const isSlash = event.key === '/' && !isTyping(event.target);
    const isShortcut = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey);
    if (!isSlash && !isShortcut) return;
    event.preventDefault();
    search.open();
  });
}
