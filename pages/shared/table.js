// A table of rows, sorted and paged in the browser: never more rows in the document than a page has.
import { fill, h } from './dom.js';
import { locale, t } from './i18n.js';

export class Table {
  #options;
  #rows = [];
  #sorted = [];
  #page = 0;
  #sort;
  #head = h('tr', { role: 'row' });
  #body = h('tbody', { role: 'rowgroup' });
  #caption = h('caption');
  #pager = h('nav', { class: 'pager' });
  #range = h('span', { class: 'muted number', role: 'status' });
  #previous = h('button', { class: 'button', type: 'button', on: { click: () => this.#go(this.#page - 1) } });
  #next = h('button', { class: 'button', type: 'button', on: { click: () => this.#go(this.#page + 1) } });
  #box;

  /**
   * columns: [{key, title (a text's key), value(row), cell(row), sort (true unless false), align: 'end'}]
   * caption, empty: keys of texts. hideCaption: only for screen readers. pageSize. sort: {key, descending}, cards: true makes cards of
   * rows on narrow screens. rowAttributes(row): for the <tr>.
   */
  constructor(options) {
    this.#options = { pageSize: 50, cards: true, hideCaption: false, empty: 'table.empty', ...options };
    this.#sort = options.sort ?? null;
    this.#box = h('div', { class: `table-box${this.#options.cards ? ' as-cards' : ''}`, role: 'group', tabindex: '0' },
      h('table', { role: 'table' }, this.#caption, h('thead', { role: 'rowgroup' }, this.#head), this.#body));
    if (this.#options.hideCaption) this.#caption.className = 'visually-hidden';
    fill(this.#pager, this.#previous, this.#range, this.#next);
    this.element = h('div', { class: 'table' }, this.#box, this.#pager);
    this.render();
  }

  /** keepPage: for rows that are the same ones, only newer. */
  setRows(rows, { keepPage = false } = {}) {
    this.#rows = rows;
    if (!keepPage) this.#page = 0;
    this.#order();
    this.#renderBody();
  }

  /** Everything anew, in the language of now. */
  render() {
    const caption = t(this.#options.caption);
    fill(this.#caption, caption);
    this.#box.setAttribute('aria-label', caption);
    this.#pager.setAttribute('aria-label', t('table.pages', { name: caption }));
    fill(this.#previous, t('previous'));
    fill(this.#next, t('next'));
    fill(this.#head, this.#options.columns.map((column) => this.#title(column)));
    this.#order();
    this.#renderBody();
  }

  #title(column) {
    const attributes = { scope: 'col', role: 'columnheader', class: column.align === 'end' ? 'number' : null };
    if (column.sort === false || !column.value) return h('th', attributes, column.title ? t(column.title) : '');
    const state = this.#sort?.key !== column.key ? 'none' : this.#sort.descending ? 'descending' : 'ascending';
    return h('th', { ...attributes, 'aria-sort': state, dataset: { column: column.key } },
      h('button', { type: 'button', class: 'sort', on: { click: () => this.#sortBy(column) } }, t(column.title)));
  }

  #sortBy(column) {
    const same = this.#sort?.key === column.key;
    // Of figures the greatest are wanted first.
    this.#sort = { key: column.key, descending: same ? !this.#sort.descending : column.align === 'end' };
    for (const title of this.#head.children) {
      if (!title.dataset.column) continue;
      const chosen = title.dataset.column === column.key;
      title.setAttribute('aria-sort', !chosen ? 'none' : this.#sort.descending ? 'descending' : 'ascending');
    }
    this.#page = 0;
    this.#order();
    this.#renderBody();
  }

  #order() {
    const column = this.#options.columns.find((each) => each.key === this.#sort?.key);
    if (!column) {
      this.#sorted = this.#rows;
      return;
    }
    const words = new Intl.Collator(locale(), { numeric: true });
    const direction = this.#sort.descending ? -1 : 1;
    const valued = this.#rows.map((row) => [column.value(row), row]);
    valued.sort(([a], [b]) => {
      if (a == null || b == null) return (a == null) - (b == null);
      return direction * (typeof a === 'number' && typeof b === 'number' ? a - b : words.compare(String(a), String(b)));
    });
    this.#sorted = valued.map(([, row]) => row);
  }

  #go(page) {
    this.#page = page;
    this.#renderBody();
    this.#box.scrollTo({ top: 0 });
  }

  #renderBody() {
    const { pageSize, columns, empty } = this.#options;
    const total = this.#sorted.length;
    const pages = Math.max(1, Math.ceil(total / pageSize));
    this.#page = Math.min(Math.max(0, this.#page), pages - 1);
    const from = this.#page * pageSize;
    const shown = this.#sorted.slice(from, from + pageSize);
    fill(this.#body, shown.map((row) => this.#row(row)));
    if (!total) fill(this.#body, h('tr', { role: 'row' }, h('td', { role: 'cell', colspan: columns.length, class: 'empty' }, t(empty))));
    this.#pager.hidden = pages === 1;
    fill(this.#range, t('table.range', { from: from + 1, to: from + shown.length, total }));
    this.#previous.disabled = this.#page === 0;
    this.#next.disabled = this.#page === pages - 1;
  }

  #row(row) {
    const cells = this.#options.columns.map((column) => h('td', {
      role: 'cell', class: column.align === 'end' ? 'number' : null, dataset: { label: column.title ? t(column.title) : '' },
    }, h('div', {}, column.cell ? column.cell(row) : column.value(row))));
    return h('tr', { role: 'row', ...this.#options.rowAttributes?.(row) }, cells);
  }
}
