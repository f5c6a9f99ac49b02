// The list of accounts below the caller's: a tree, sorted, searched and paged.
import { byId, fill, foreign, h } from './shared/dom.js';
import { money, number, time } from './shared/format.js';
import { explain, isAborted } from './shared/api.js';
import { download, toCsv } from './shared/csv.js';
import { t } from './shared/i18n.js';
import { fees } from './config.js';
import { orderOf } from './tree.js';
import { Pager } from './pager.js';

const columns = ['Name', 'Balance', 'CreditUsed', 'HardLimit', 'Rates', 'RPM', 'Requests', 'Child', 'Status', 'CreatedAt'];
const exported = ['ID', 'DNA', 'Level', 'Name', 'Alias', 'Email', 'BillingEmail', 'Balance', 'CreditGranted', 'CreditUsed', 'Rates',
  'HardLimit', 'SoftLimit', 'RPM', 'RPH', 'RPD', 'TPM', 'TPH', 'TPD', 'Concurrency', 'Requests', 'Child', 'Status', 'AllowIPs',
  'AllowModels', 'Resources', 'PartialKey', 'CreatedAt'];
const ofText = ['Name'];
const deepestIndent = 6;
const limited = (text) => (value) => (value ? text(value) : t('unlimited'));
const shownAs = { Balance: money, CreditUsed: money, HardLimit: limited(money), Rates: number, RPM: limited(number), Requests: number, Child: number };

export class ListView {
  constructor(page) {
    this.page = page;
    this.view = { search: '', status: 'all', sort: 'CreatedAt', descending: true, open: new Set() };
    this.listedAt = null;
    this.pager = new Pager(byId('list-body'), byId('list-pager'), (line) => this.rowOf(line));
    byId('load').addEventListener('click', () => this.load(true));
    byId('stop-loading').addEventListener('click', () => this.loading?.abort());
    byId('export').addEventListener('click', () => this.export());
    byId('search').addEventListener('input', (event) => this.change({ search: event.target.value }));
    byId('status').addEventListener('change', (event) => this.change({ status: event.target.value }));
    byId('sort').addEventListener('change', (event) => this.sortBy(event.target.value));
    for (const each of document.getElementsByName('scope')) each.addEventListener('change', () => this.choose());
  }

  get scope() {
    return document.querySelector('[name=scope]:checked').value;
  }

  get isLoaded() {
    const { accounts } = this.page;
    return accounts.scope === this.scope || (this.scope === 'children' && accounts.isComplete);
  }

  /** Another scope: what is there already is not listed again. */
  choose() {
    this.view.open.clear();
    this.loading?.abort();
    if (this.page.accounts.isRoot && !this.isLoaded) this.load(false);
    else this.render();
  }

  change(wanted) {
    Object.assign(this.view, wanted);
    this.renderRows();
  }

  sortBy(column) {
    const isSame = this.view.sort === column;
    // Of figures the greatest are wanted first.
    this.view.descending = isSame ? !this.view.descending : !ofText.includes(column);
    this.view.sort = column;
    this.render();
    byId('list-head').querySelector(`[data-sort="${column}"]`).focus();
  }

  /** `again`: from its first page. What was broken off goes on where it was otherwise. */
  async load(again) {
    const { accounts } = this.page;
    const { scope } = this;
    this.loading?.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    const goesOn = accounts.scope === scope && !accounts.isComplete && accounts.rows.size > 0;
    byId('list-error').hidden = true;
    byId('progress').hidden = false;
    byId('view-list').setAttribute('aria-busy', 'true');
    try {
      await accounts.load(scope, { again: again && !goesOn, signal, onProgress: (progress) => this.showProgress(progress) });
      this.listedAt = new Date();
    } catch (error) {
      if (!isAborted(error)) fill(byId('list-error'), explain(error)).hidden = false;
    } finally {
      if (this.loading.signal === signal) {
        byId('progress').hidden = true;
        byId('view-list').removeAttribute('aria-busy');
        this.render();
      }
    }
  }

  showProgress({ loaded, expected }) {
    fill(byId('progress-text'), t('progress', { loaded, expected }));
    Object.assign(byId('progress-bar'), { max: Math.max(1, expected), value: loaded });
    if (loaded) this.renderRows();
  }

  /** Everything anew, in the language of now. */
  render() {
    const { accounts } = this.page;
    if (!accounts) return;
    const goesOn = this.isLoaded && !accounts.isComplete && accounts.rows.size > 0;
    const cost = accounts.isRoot ? '' : t('listCost', { cost: money(accounts.pagesOf(this.scope) * fees.listing) });
    fill(byId('load'), t(goesOn ? 'goOn' : this.listedAt && this.isLoaded ? 'refresh' : 'listNow'), goesOn ? '' : cost);
    byId('load').hidden = accounts.own.Child === 0;
    byId('export').disabled = accounts.rows.size === 0;
    const note = this.listedAt && this.isLoaded ? t('listedAt', { time: time(this.listedAt) }) : '';
    fill(byId('list-note'), note, ' ', accounts.isRoot ? '' : t('listFee', { fee: money(fees.listing) }));
    const { sort, descending } = this.view;
    fill(byId('sort'), columns.map((each) => h('option', { value: each }, t(`col_${each}`))));
    byId('sort').value = sort;
    fill(byId('list-head'), columns.map((each) => h('th', {
      scope: 'col', class: each in shownAs ? 'number' : null, 'aria-sort': sort !== each ? 'none' : descending ? 'descending' : 'ascending',
    }, h('button', { type: 'button', class: 'sort', dataset: { sort: each }, on: { click: () => this.sortBy(each) } }, t(`col_${each}`)))));
    this.renderRows();
  }

  renderRows(options) {
    const { accounts } = this.page;
    const rows = this.isLoaded ? this.rowsOfScope() : new Map();
    const { lines, matches } = orderOf(rows, this.view);
    this.pager.setLines(lines, options);
    fill(byId('found'), rows.size ? t('found', { matches, total: rows.size }) : '');
    byId('list-empty').hidden = lines.length > 0;
    if (!lines.length) fill(byId('list-empty'), this.emptyText(rows));
    byId('list-body').closest('table').hidden = !lines.length;
  }

  /** Where all are there, children are those on top. */
  rowsOfScope() {
    const { accounts } = this.page;
    if (this.scope === accounts.scope) return accounts.rows;
    return new Map([...accounts.rows].filter(([, row]) => row.Level === accounts.own.Level + 1));
  }

  emptyText(rows) {
    const { accounts } = this.page;
    if (accounts.own.Child === 0) return [h('p', {}, t('noChildren')), h('a', { href: '#create' }, t('tabCreate'))];
    if (rows.size) return h('p', {}, t('noMatch'));
    return h('p', {}, t(byId('progress').hidden ? 'notListed' : 'loading', { count: accounts.own.Child }));
  }

  rowOf({ row, depth, inner, isOpen, isMatch }) {
    const cells = columns.slice(1).map((each) => h('td', {
      role: 'cell', class: each in shownAs ? 'number' : null, dataset: { label: t(`col_${each}`), column: each },
    }, this.cell(row, each)));
    const name = h('th', { scope: 'row', role: 'rowheader', class: 'name' },
      h('div', { class: 'branch' }, this.knob(row, inner, isOpen),
        h('div', {}, h('a', { href: `#account-${row.ID}` }, foreign(row.Name)),
          row.Alias ? h('div', { class: 'muted' }, foreign(row.Alias)) : null, h('div', { class: 'muted small' }, foreign(row.Email)))));
    // By the object model, which a strict policy allows.
    name.style.setProperty('--depth', Math.min(depth, deepestIndent));
    return h('tr', { role: 'row', class: isMatch ? null : 'aside', 'aria-level': depth + 1 }, name, cells);
  }

  cell(row, column) {
    if (column === 'Status') return h('span', { class: `badge ${row.Status ? 'good' : 'bad'}` }, t(row.Status ? 'statusOn' : 'statusOff'));
    if (column === 'CreatedAt') return this.page.date(row.CreatedAt);
    return shownAs[column](row[column]);
  }

  knob(row, inner, isOpen) {
    if (!inner) return h('span', { class: 'knob' });
    const turn = () => {
      this.view.open[isOpen ? 'delete' : 'add'](row.ID);
      this.renderRows({ keepPage: true });
      byId('list-body').querySelector(`[data-knob="${row.ID}"]`)?.focus();
    };
    return h('button', {
      type: 'button', class: 'knob', 'aria-expanded': isOpen, 'aria-label': t('below', { name: row.Name }), dataset: { knob: row.ID }, on: { click: turn },
    }, isOpen ? '▾' : '▸');
  }

  export() {
    const rows = orderOf(this.rowsOfScope(), { ...this.view, open: new Set(this.page.accounts.rows.keys()) }).lines;
    download('accounts.csv', toCsv([exported, ...rows.map(({ row }) => exported.map((each) => row[each]))]));
  }
}
