// The pool as a table: one page of it in the document, and only what changed is touched when the pool is read again.
import { h, fill, foreign } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { dateTime, number, relative } from '../shared/format.js';
import { sentences, tone } from '../keys/words.js';

const pageSize = 50;

const limit = (value, key) => (value ? t(key, { n: number(value) }) : null);
const limits = (key) => [limit(key.RPM, 'pool.rpm'), limit(key.TPM, 'pool.tpm'), limit(key.Concurrency, 'pool.at_once')].filter(Boolean).join(', ');

const columns = [
  { name: 'key', by: 'id', cell: (key) => [h('span', { class: 'mono' }, `…${key.PartialKey}`), ' ', h('span', { class: 'muted' }, `#${key.ID}`), key.Name && h('div', {}, foreign(key.Name))] },
  { name: 'state', by: 'state', cell: (key) => [h('span', { class: `badge ${tone(key.State)}` }, t(`state.${key.State}`)), key.State !== 'active' && h('div', { class: 'words' }, sentences(key).map((words) => h('div', {}, foreign(words))))] },
  { name: 'provider', by: 'level', cell: (key) => [h('div', {}, foreign(key.Provider)), h('div', { class: 'muted' }, t('pool.level_weight', { level: key.Level, weight: key.Weight })), limits(key) && h('div', { class: 'muted' }, limits(key))] },
  { name: 'requests', by: 'requests', isNumber: true, cell: (key) => number(key.Requests) },
  { name: 'failures', by: 'failures', isNumber: true, cell: (key) => number(key.Failures) },
  { name: 'used', by: 'used', cell: (key) => (key.LastUsedAt ? h('span', { title: dateTime(key.LastUsedAt) }, relative(key.LastUsedAt)) : '–') },
];

export const nameOf = (key) => (key.Name ? `${key.Name} (…${key.PartialKey})` : `…${key.PartialKey}`);

export class KeyTable {
  /** `onAction(name, key)`, `onSelect()`, `onSort()`. */
  constructor(callbacks) {
    Object.assign(this, callbacks);
    this.order = { by: 'id', isDown: false };
    this.selected = new Set();
    this.rows = new Map();
    this.keys = [];
    this.page = 0;
    this.head = h('tr', { role: 'row' });
    this.body = h('tbody', { role: 'rowgroup' });
    this.caption = h('caption', { class: 'visually-hidden' });
    this.all = h('input', { type: 'checkbox', on: { change: () => this.selectPage(this.all.checked) } });
    this.empty = h('p', { class: 'empty' });
    this.range = h('span', { class: 'muted number', role: 'status' });
    this.previous = h('button', { type: 'button', class: 'button', on: { click: () => this.go(this.page - 1) } });
    this.next = h('button', { type: 'button', class: 'button', on: { click: () => this.go(this.page + 1) } });
    this.pager = h('nav', { class: 'pager' }, this.previous, this.range, this.next);
    this.box = h('div', { class: 'table-box as-cards', role: 'region', tabindex: 0 },
      h('table', { role: 'table', class: 'keys' }, this.caption, h('thead', { role: 'rowgroup' }, this.head), this.body), this.empty);
    this.element = h('div', { class: 'table' }, this.box, this.pager);
    this.name();
  }

  name() {
    this.caption.textContent = t('pool.caption');
    this.box.setAttribute('aria-label', t('pool.caption'));
    this.pager.setAttribute('aria-label', t('table.pages', { name: t('pool.caption') }));
    this.previous.textContent = t('previous');
    this.next.textContent = t('next');
    this.all.setAttribute('aria-label', t('pool.select_page'));
    this.nameHead();
    this.rows.clear();
    this.show();
  }

  nameHead() {
    const { by, isDown } = this.order;
    fill(this.head, h('th', { scope: 'col', role: 'columnheader' }, this.all),
      columns.map((column) => h('th', {
        scope: 'col', role: 'columnheader', class: column.isNumber && 'number',
        'aria-sort': column.by !== by ? 'none' : isDown ? 'descending' : 'ascending',
      }, h('button', { type: 'button', class: 'sort', dataset: { by: column.by }, on: { click: () => this.sortBy(column) } }, t(`pool.${column.name}`)))),
      h('th', { scope: 'col', role: 'columnheader', class: 'number' }, t('pool.actions')));
  }

  sortBy({ by, isNumber }) {
    const isSame = this.order.by === by;
    this.order = { by, isDown: isSame ? !this.order.isDown : Boolean(isNumber) };
    this.page = 0;
    this.nameHead();
    this.head.querySelector(`[data-by=${by}]`).focus();
    this.onSort();
  }

  go(page) {
    this.page = page;
    this.show();
    this.box.scrollIntoView({ block: 'nearest' });
  }

  /** Keys in the order in which they are shown. */
  setKeys(keys, none) {
    this.keys = keys;
    if (this.empty.textContent !== none) this.empty.textContent = none;
    this.show();
  }

  shown() {
    return this.keys.slice(this.page * pageSize, (this.page + 1) * pageSize);
  }

  show() {
    const pages = Math.max(1, Math.ceil(this.keys.length / pageSize));
    this.page = Math.min(Math.max(0, this.page), pages - 1);
    const shown = this.shown();
    const ids = new Set(shown.map((key) => key.ID));
    for (const [id, row] of this.rows) {
      if (!ids.has(id)) {
        row.element.remove();
        this.rows.delete(id);
      }
    }
    shown.forEach((key, place) => {
      const row = this.rowOf(key);
      if (this.body.children[place] !== row.element) this.body.insertBefore(row.element, this.body.children[place] ?? null);
    });
    while (this.body.children.length > shown.length) this.body.lastChild.remove();
    this.empty.hidden = shown.length > 0;
    this.pager.hidden = pages === 1;
    const range = t('table.range', { from: this.page * pageSize + 1, to: this.page * pageSize + shown.length, total: this.keys.length });
    if (this.range.textContent !== range) this.range.textContent = range;
    this.previous.disabled = this.page === 0;
    this.next.disabled = this.page === pages - 1;
    this.showSelection();
  }

  rowOf(key) {
    const row = this.rows.get(key.ID) ?? this.makeRow(key);
    const signature = JSON.stringify(key) + relative(key.LastUsedAt);
    if (row.signature !== signature) {
      row.signature = signature;
      row.key = key;
      columns.forEach((column, i) => fill(row.cells[i], column.cell(key)));
      this.nameRow(row);
    }
    return row;
  }

  makeRow(key) {
    const cells = columns.map((column) => h('td', { role: 'cell', class: column.isNumber && 'number', dataset: { label: t(`pool.${column.name}`) } }));
    const row = { key, cells };
    const act = (name) => this.onAction(name === 'toggle' ? (row.key.Status ? 'disable' : 'enable') : name, row.key);
    row.select = h('input', { type: 'checkbox', on: { change: () => this.select([row.key], row.select.checked) } });
    row.buttons = ['probe', 'edit', 'toggle', 'delete'].map((name) => h('button', {
      type: 'button', class: `button quiet${name === 'delete' ? ' danger' : ''}`, dataset: { action: name }, on: { click: () => act(name) },
    }));
    row.element = h('tr', { role: 'row', dataset: { id: key.ID } },
      h('td', { role: 'cell', class: 'select', dataset: { label: t('pool.select') } }, row.select), cells,
      h('td', { role: 'cell', class: 'actions', dataset: { label: '' } }, row.buttons));
    this.rows.set(key.ID, row);
    return row;
  }

  nameRow(row) {
    const name = nameOf(row.key);
    row.select.setAttribute('aria-label', t('pool.select_key', { name }));
    for (const button of row.buttons) {
      const { action } = button.dataset;
      const word = t(`action.${action === 'toggle' ? (row.key.Status ? 'disable' : 'enable') : action}`);
      button.textContent = word;
      button.setAttribute('aria-label', `${word}: ${name}`);
    }
  }

  setBusy(id, isBusy) {
    const row = this.rows.get(id);
    row?.element.setAttribute('aria-busy', isBusy);
    row?.buttons.forEach((button) => { button.disabled = isBusy; });
  }

  selectPage(isOn) {
    this.select(this.shown(), isOn);
  }

  select(keys, isOn) {
    for (const key of keys) isOn ? this.selected.add(key.ID) : this.selected.delete(key.ID);
    this.showSelection();
    this.onSelect();
  }

  showSelection() {
    let count = 0;
    for (const [id, row] of this.rows) {
      row.select.checked = this.selected.has(id);
      count += row.select.checked;
    }
    this.all.checked = count > 0 && count === this.rows.size;
    this.all.indeterminate = count > 0 && count < this.rows.size;
  }
}
