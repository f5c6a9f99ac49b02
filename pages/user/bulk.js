// Many recharges from pasted lines: looked through first, then done one after the other, each once and only once, also when the
// text is mended and run again or the page is loaded anew in between.
import { byId, fill, foreign, h } from './shared/dom.js';
import { money, number } from './shared/format.js';
import { explain } from './shared/api.js';
import { confirmDialog } from './shared/dialog.js';
import { download, toCsv } from './shared/csv.js';
import { passing } from './shared/store.js';
import { t } from './shared/i18n.js';
import { clearFaults, setUp, showFault } from './fields.js';
import { Intent, isUnsettled, makeKey } from './intent.js';
import { parseLines } from './lines.js';
import { balanceText, dollarsOf, exactMoney, nanosOf, priceOf } from './money.js';
import { Pager } from './pager.js';

const storageName = 'bulk-recharge';
const columns = ['line', 'account', 'amount', 'cost', 'result'];
const badges = { ready: 'idle', running: 'warn', done: 'good', failed: 'bad', unknown: 'warn', problem: 'bad' };
const lookedUpAtOnce = 4;
const keptEvery = 500;

export class BulkView {
  constructor(page) {
    this.page = page;
    this.form = byId('bulk');
    this.lines = [];
    this.isRunning = false;
    setUp(this.form);
    this.pager = new Pager(byId('bulk-body'), byId('bulk-pager'), (line) => this.rowOf(line));
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.check();
    });
    byId('bulk-text').addEventListener('input', () => this.keep());
    byId('bulk-new').addEventListener('click', () => this.startAnew());
    byId('bulk-go').addEventListener('click', () => this.go());
    byId('bulk-stop').addEventListener('click', () => this.stop());
    byId('bulk-save').addEventListener('click', () => this.save());
    this.restore();
  }

  /** What became of this batch, by what a line means: {state, result}. Lines that were changed are new ones. */
  restore() {
    const kept = JSON.parse(passing.get(storageName) ?? '{}');
    const isOwn = kept.owner === this.page.accounts.own.ID;
    this.batch = isOwn ? kept.batch : makeKey();
    this.outcomes = isOwn ? kept.outcomes : {};
    byId('bulk-text').value = isOwn ? kept.text : '';
    if (isOwn && Object.keys(kept.outcomes).length) this.check();
  }

  keep() {
    clearTimeout(this.keeping);
    this.keeping = null;
    const owner = this.page.accounts.own.ID;
    passing.set(storageName, JSON.stringify({ owner, batch: this.batch, text: byId('bulk-text').value, outcomes: this.outcomes }));
  }

  /** A reload may forget the last half second: those lines have the same idempotency keys again and are answered as before. */
  keepSoon() {
    this.keeping ??= setTimeout(() => this.keep(), keptEvery);
  }

  async startAnew() {
    const unknown = this.lines.some((each) => each.state === 'unknown');
    const question = { title: t('bulkNew'), body: t(unknown ? 'bulkNewUnknown' : 'bulkNewNote'), danger: unknown };
    if (Object.keys(this.outcomes).length && !await confirmDialog(question)) return;
    this.batch = makeKey();
    this.outcomes = {};
    this.lines = [];
    byId('bulk-text').value = '';
    this.keep();
    clearFaults(this.form);
    byId('bulk-preview').hidden = true;
    byId('bulk-text').focus();
  }

  /** Looks each line through, and its account up where it is not in the list: single look-ups are free. */
  async check() {
    clearFaults(this.form);
    const lines = parseLines(byId('bulk-text').value);
    if (!lines.length) {
      showFault(this.form, null, t('bulkNothing'));
      return;
    }
    byId('bulk-check').disabled = true;
    try {
      await this.page.accounts.loadOwn();
      await this.lookUp(lines.filter((line) => !line.problem));
      this.judge(lines);
      this.lines = lines;
      this.stopped = '';
      byId('bulk-preview').hidden = false;
      this.render();
    } catch (error) {
      showFault(this.form, null, explain(error));
    } finally {
      byId('bulk-check').disabled = false;
    }
  }

  async lookUp(lines) {
    const { accounts } = this.page;
    const found = new Map();
    const wanted = [...new Set(lines.map((line) => line.who.toLowerCase()))].filter((who) => !accounts.named(who));
    let looked = 0;
    const work = async () => {
      for (let who = wanted.shift(); who !== undefined; who = wanted.shift()) {
        found.set(who, await accounts.look(who));
        looked += 1;
        fill(this.form.querySelector('.form-status'), t('bulkLooking', { done: looked, total: looked + wanted.length }));
      }
    };
    await Promise.all(Array.from({ length: lookedUpAtOnce }, work));
    fill(this.form.querySelector('.form-status'));
    for (const line of lines) {
      line.row = accounts.named(line.who) ?? found.get(line.who.toLowerCase());
    }
  }

  /** A line is known by its account, amount and days, counted through: who pastes it twice means it twice. */
  judge(lines) {
    const { own } = this.page.accounts;
    const seen = new Map();
    for (const line of lines) {
      if (!line.problem && !line.row) line.problem = 'bulkNobody';
      if (line.row?.ID === own.ID) line.problem = 'bulkOneself';
      if (line.problem) {
        line.state = 'problem';
        continue;
      }
      const meaning = `${line.row.ID} ${line.amount} ${line.days ?? ''}`;
      seen.set(meaning, (seen.get(meaning) ?? 0) + 1);
      line.id = `${meaning} #${seen.get(meaning)}`;
      Object.assign(line, { state: 'ready', ...this.outcomes[line.id] });
    }
  }

  costOf(line) {
    return this.page.accounts.isRoot || !line.row ? 0n : priceOf(line.amount, line.row.Rates, this.page.accounts.own.Rates);
  }

  get open() {
    return this.lines.filter((line) => ['ready', 'failed', 'unknown', 'running'].includes(line.state));
  }

  sums() {
    const open = this.open;
    return {
      good: open.length, bad: this.count('problem'), done: this.count('done'),
      amount: open.reduce((sum, line) => sum + line.amount, 0n),
      cost: open.reduce((sum, line) => sum + this.costOf(line), 0n),
    };
  }

  count(state) {
    return this.lines.filter((line) => line.state === state).length;
  }

  render({ keepPage = false } = {}) {
    fill(byId('bulk-head'), columns.map((each) => h('th', { scope: 'col', class: ['amount', 'cost'].includes(each) ? 'number' : null }, t(`bulk_${each}`))));
    this.renderState();
    this.pager.setLines(this.lines, { keepPage });
  }

  renderState() {
    const { accounts } = this.page;
    const { good, bad, done, amount, cost } = this.sums();
    const mine = nanosOf(accounts.own.Balance);
    const isShort = !accounts.isRoot && cost > mine;
    const values = { good, bad, done, amount: exactMoney(amount), cost: exactMoney(cost), before: balanceText(mine), after: balanceText(mine - cost) };
    const text = [t('bulkSums', values)];
    if (good) text.push(t(accounts.isRoot ? 'bulkIssued' : 'bulkCosts', values));
    if (isShort) text.push(t('bulkShort'));
    if (this.stopped) text.push(t(this.stopped));
    fill(byId('bulk-summary'), text.join(' '));
    byId('bulk-summary').classList.toggle('bad', isShort);
    fill(byId('bulk-go'), t(done || this.count('failed') || this.count('unknown') ? 'bulkGoOn' : 'bulkGo', { count: good }));
    byId('bulk-go').hidden = this.isRunning;
    byId('bulk-go').disabled = !good || isShort;
    byId('bulk-stop').hidden = !this.isRunning;
    byId('bulk-bar').hidden = !this.isRunning;
    for (const each of ['bulk-check', 'bulk-new', 'bulk-text']) byId(each).disabled = this.isRunning;
  }

  rowOf(line) {
    const cell = (name, content, kind) => h('td', { role: 'cell', class: kind, dataset: { label: t(`bulk_${name}`) } }, h('div', {}, content));
    const said = line.problem ? t(line.problem) : line.result ?? '';
    return h('tr', { role: 'row' },
      cell('line', number(line.number)),
      cell('account', line.row ? [foreign(line.row.Name), ' ', h('span', { class: 'muted' }, foreign(line.row.Email))] : foreign(line.text)),
      cell('amount', line.amount ? [exactMoney(line.amount), line.days === undefined ? '' : ` · ${t('days', { count: line.days ?? 0 })}`] : '–', 'number'),
      cell('cost', line.row && line.amount ? exactMoney(this.costOf(line)) : '–', 'number'),
      cell('result', [h('span', { class: `badge ${badges[line.state]}` }, t(`bulk_${line.state}`)), ' ', said]));
  }

  async go() {
    const { good, bad, amount, cost } = this.sums();
    const { accounts } = this.page;
    const mine = nanosOf(accounts.own.Balance);
    const values = { count: good, bad, amount: exactMoney(amount), cost: exactMoney(cost), before: balanceText(mine), after: balanceText(mine - cost) };
    const facts = [t('bulkGives', values), t(accounts.isRoot ? 'bulkIssued' : 'costs', values), bad ? t('bulkLeftOut', values) : null, t('bulkOnce')];
    const body = h('ul', { class: 'stack' }, facts.filter(Boolean).map((each) => h('li', {}, each)));
    if (!await confirmDialog({ title: t('bulkGo', values), body, confirm: t('recharge') })) return;
    await this.run();
  }

  stop() {
    this.stopped = 'bulkStopped';
    this.stopping.abort();
    byId('bulk-stop').disabled = true;
  }

  async run() {
    const lines = this.open;
    this.isRunning = true;
    this.stopped = '';
    this.stopping = new AbortController();
    byId('bulk-stop').disabled = false;
    const leave = (event) => event.preventDefault();
    window.addEventListener('beforeunload', leave);
    for (const [index, line] of lines.entries()) {
      Object.assign(byId('bulk-bar'), { max: lines.length, value: index });
      await this.recharge(line);
      if (line.state === 'unknown' && !this.stopped) this.stopped = 'bulkBroken';
      if (this.stopping.signal.aborted || line.state === 'unknown') break;
    }
    window.removeEventListener('beforeunload', leave);
    this.isRunning = false;
    this.keep();
    if (!this.stopped) this.stopped = 'bulkEnded';
    this.render({ keepPage: true });
    byId('bulk-summary').scrollIntoView({ block: 'nearest' });
  }

  async recharge(line) {
    const { accounts, api } = this.page;
    const body = { CreditGranted: dollarsOf(line.amount), ...(line.days === undefined ? {} : { Days: line.days }) };
    const values = { name: line.row.Name, amount: exactMoney(line.amount) };
    const intent = new Intent({ method: 'PUT', path: `/x-users/${line.row.ID}`, body, label: 'rechargeTitle', values, owner: accounts.own.ID, key: `${this.batch} ${line.id}` });
    this.settle(line, 'running');
    try {
      const onWait = (seconds) => this.settle(line, 'running', t('waiting', { count: Math.ceil(seconds) }));
      const answer = await intent.send(api, { signal: this.stopping.signal, onWait });
      accounts.apply(answer);
      line.row = { ...line.row, ...answer.User.Updates };
      this.settle(line, 'done', t('bulkNow', { balance: money(line.row.Balance) }));
    } catch (error) {
      this.settle(line, isUnsettled(error) ? 'unknown' : 'failed', explain(error));
    }
    // What is still open of it is this batch's to finish, with the same key.
    intent.forget();
  }

  settle(line, state, result = '') {
    Object.assign(line, { state, result });
    this.outcomes[line.id] = { state: state === 'running' ? 'unknown' : state, result };
    this.keepSoon();
    this.renderSoon();
  }

  /** Once for many lines: thousands go by in a minute. */
  renderSoon() {
    this.rendering ??= requestAnimationFrame(() => {
      this.rendering = null;
      this.renderState();
      this.pager.render();
    });
  }

  save() {
    const rows = this.lines.map((line) => [line.number, line.text, line.row?.Name ?? '', line.amount ? dollarsOf(line.amount) : '',
      line.row && line.amount ? dollarsOf(this.costOf(line)) : '', t(`bulk_${line.state}`), line.problem ? t(line.problem) : line.result ?? '']);
    download('recharges.csv', toCsv([['line', 'text', 'account', 'amount', 'cost', 'state', 'result'], ...rows]));
  }
}
