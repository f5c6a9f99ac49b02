// The list of accounts below the caller's: a tree, sorted, searched and paged.
import { byId, fill, foreign, h } from './shared/dom.js';
import { date, money, number, time } from './shared/format.js';
import { explain, isAborted } from './shared/api.js';
import { t } from './shared/i18n.js';
import { orderOf } from './tree.js';
import { Pager, cell } from './pager.js';

const deepestIndent = 6;

export function statusBadge({ Status: isOn }) {
  return h('span', { class: `badge ${isOn ? 'good' : 'bad'}` }, t(isOn ? 'statusOn' : 'statusOff'));
}

const limited = (text) => (value) => (value ? text(value) : t('unlimited'));
const columns = {
  Name: null, Balance: money, CreditUsed: money, HardLimit: limited(money), Rates: number, RPM: limited(number), Requests: number,
  Child: number, Status: null, CreatedAt: date,
};
const isFigure = (column) => columns[column] !== null && column !== 'CreatedAt';

export class ListView {
  constructor(page) {
    this.page = page;
    this.view = { search: '', status: 'all', sort: 'CreatedAt', descending: true, open: new Set() };
    this.pager = new Pager(byId('list-body'), byId('list-pager'), (line) => this.rowOf(line));
    const listen = (id, event, action) => byId(id).addEventListener(event, () => action(byId(id).value));
    listen('load', 'click', () => this.load());
    listen('stop-loading', 'click', () => this.loading.abort());
    listen('search', 'input', (search) => this.change({ search }));
    listen('status', 'change', (status) => this.change({ status }));
    listen('scope', 'change', () => this.choose());
  }

  get scope() {
    return document.querySelector('[name=scope]:checked').value;
  }

  /** Where all descendants have been listed, children have been too. */
  get isThere() {
    const { scope, isComplete } = this.page.accounts;
    return scope === this.scope || (this.scope === 'children' && isComplete);
  }

  /** Another scope: what is there is not listed again. */
  choose() {
    this.loading?.abort();
    if (this.page.accounts.isRoot && !this.isThere) this.load();
    else this.render();
  }

  change(wanted) {
    Object.assign(this.view, wanted);
    this.renderRows();
  }

  sortBy(column) {
    const { view } = this;
    // Of figures the greatest are wanted first.
    view.descending = view.sort === column ? !view.descending : column !== 'Name';
    view.sort = column;
    this.render();
    byId('list-head').querySelector(`[data-sort=${column}]`).focus();
  }

  async load() {
    this.loading?.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    byId('list-error').hidden = true;
    byId('progress').hidden = false;
    try {
      await this.page.accounts.load(this.scope, { signal, onProgress: (progress) => this.showProgress(progress) });
      this.listedAt = new Date();
    } catch (error) {
      if (!isAborted(error)) fill(byId('list-error'), explain(error)).hidden = false;
    }
    // Unless another one has begun meanwhile.
    if (this.loading.signal !== signal) return;
    byId('progress').hidden = true;
    this.render();
  }

  showProgress({ loaded, expected }) {
    fill(byId('progress-text'), t('progress', { loaded, expected }));
    Object.assign(byId('progress-bar'), { max: expected, value: loaded });
    this.renderRows();
  }

  /** Everything anew, in the language of now. */
  render() {
    const { accounts } = this.page;
    const { sort, descending } = this.view;
    const isOpen = this.isThere && !accounts.isComplete && accounts.rows.size > 0;
    const isListed = this.isThere && accounts.isComplete && this.listedAt;
    const cost = accounts.isRoot || isOpen ? '' : t('listCost', { cost: money(accounts.callsFor(this.scope) * accounts.fees.listing) });
    fill(byId('load'), t(isOpen ? 'goOn' : isListed ? 'refresh' : 'listNow'), cost);
    byId('load').hidden = accounts.own.Child === 0;
    fill(byId('list-note'), isListed ? t('listedAt', { time: time(this.listedAt) }) : '', ' ', accounts.isRoot ? '' : t('listFee', { fee: money(accounts.fees.listing) }));
    const names = Object.keys(columns);
    fill(byId('list-head'), names.map((each) => h('th', {
      scope: 'col', class: isFigure(each) ? 'number' : null, 'aria-sort': sort !== each ? 'none' : descending ? 'descending' : 'ascending',
    }, h('button', { type: 'button', class: 'sort', dataset: { sort: each }, on: { click: () => this.sortBy(each) } }, t(`col_${each}`)))));
    this.renderRows();
  }

  renderRows(options) {
    const { lines, matches } = orderOf(this.rows(), this.view);
    const total = this.rows().size;
    this.pager.setLines(lines, options);
    fill(byId('found'), total ? t('found', { matches, total }) : '');
    byId('list-empty').hidden = lines.length > 0;
    byId('list-table').hidden = !lines.length;
    fill(byId('list-empty'), this.emptyText(total));
  }

  rows() {
    const { accounts } = this.page;
    if (!this.isThere) return new Map();
    if (this.scope === accounts.scope) return accounts.rows;
    return new Map([...accounts.rows].filter(([, row]) => row.Level === accounts.own.Level + 1));
  }

  emptyText(total) {
    const count = this.page.accounts.own.Child;
    if (!count) return [t('noChildren'), ' ', h('a', { href: '#create' }, t('tabCreate'))];
    return total ? t('noMatch') : t(byId('progress').hidden ? 'notListed' : 'loading', { count });
  }

  rowOf({ row, depth, hasInner, isOpen, isMatch }) {
    const name = h('th', { scope: 'row', role: 'rowheader', class: 'name' }, h('div', { class: 'branch' },
      hasInner ? this.knob(row, isOpen) : h('span', { class: 'knob' }),
      h('div', {}, h('a', { href: `#account-${row.ID}` }, foreign(row.Name)),
        row.Alias && h('div', {}, foreign(row.Alias)), h('div', { class: 'muted small' }, foreign(row.Email)))));
    // By the object model, which a strict policy allows.
    name.style.setProperty('--depth', Math.min(depth, deepestIndent));
    const cells = Object.entries(columns).slice(1).map(([column, text]) => cell(column, t(`col_${column}`), isFigure(column), text ? text(row[column]) : statusBadge(row)));
    return h('tr', { role: 'row', class: isMatch ? null : 'aside' }, name, cells);
  }

  knob(row, isOpen) {
    const turn = () => {
      this.view.open[isOpen ? 'delete' : 'add'](row.ID);
      this.renderRows({ keepPage: true });
      byId('list-body').querySelector(`[data-knob="${row.ID}"]`)?.focus();
    };
    return h('button', {
      type: 'button', class: 'knob', 'aria-expanded': isOpen, 'aria-label': t('below', { name: row.Name }), dataset: { knob: row.ID }, on: { click: turn },
    }, isOpen ? '▾' : '▸');
  }
}
