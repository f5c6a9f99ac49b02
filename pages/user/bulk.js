// Many recharges from pasted lines: looked through first, then done one after the other, each once and only once, also when the
// text is mended and run again, or the page is loaded anew in between.
import { byId, fill, foreign, h } from './shared/dom.js';
import { money, number } from './shared/format.js';
import { explain } from './shared/api.js';
import { confirmDialog } from './shared/dialog.js';
import { passing } from './shared/store.js';
import { t } from './shared/i18n.js';
import { factList } from './action.js';
import { clearFaults, makeForm, say, showFault } from './fields.js';
import { Intent, bulkStorageName as storageName, isFresh, makeKey } from './intent.js';
import { parseLines, usualDays } from './lines.js';
import { change, dollarsOf, exactMoney, nanosOf, priceOf } from './money.js';
import { Pager, cell } from './pager.js';

const isBatch = (kept) => typeof kept?.batch === 'string' && typeof kept.text === 'string' && kept.outcomes instanceof Object;
/** Too long ago for the service to know it again: sent now, it might be done twice. */
const isLost = (line) => line.state === 'unknown' && !isFresh(line);
const columns = ['line', 'account', 'amount', 'cost', 'result'];
const badges = { done: 'good', running: 'warn', unknown: 'warn', failed: 'bad', problem: 'bad' };
const lookedUpAtOnce = 4;
const keptEvery = 500;
const longPaste = 10_000;
const mostLengths = 4;

const daysOf = (days = usualDays) => t('days', { count: days });

export class BulkView {
  constructor(page) {
    this.page = page;
    this.lines = [];
    this.said = [];
    this.form = makeForm('bulk', { title: 'tabBulk', heading: 'h2', button: 'bulkCheck', kind: 'primary', submit: () => this.check() });
    this.text = h('textarea', { id: 'bulk-text', class: 'mono', rows: 8, spellcheck: 'false', autocomplete: 'off', dir: 'ltr', 'aria-describedby': 'bulk-hint', on: { input: () => this.keepSoon(), paste: (event) => this.paste(event) } });
    this.form.querySelector('.preview').replaceWith(h('div', { class: 'field' }, h('label', { for: 'bulk-text', 'data-t': 'bulkLabel' }), this.text,
      h('p', { class: 'hint', id: 'bulk-hint', 'data-t': 'bulkHint' })));
    this.form.querySelector('.row').append(h('button', { class: 'button', type: 'button', 'data-t': 'bulkNew', on: { click: () => this.startAnew() } }));
    byId('bulk-preview').before(this.form);
    byId('bulk-go').addEventListener('click', () => this.go());
    byId('bulk-stop').addEventListener('click', () => this.stopping.abort());
    this.pager = new Pager(byId('bulk-body'), byId('bulk-pager'), (line) => this.rowOf(line));
    this.restore();
  }

  /** `outcomes`: what became of the lines of this batch, by what they mean. Lines that were changed are new ones. */
  restore() {
    const kept = passing.getJson(storageName, isBatch);
    const isOwn = kept?.owner === this.page.accounts.own.ID;
    ({ batch: this.batch, text: this.text.value, outcomes: this.outcomes } = isOwn ? kept : { batch: makeKey(), text: '', outcomes: {} });
    if (Object.keys(this.outcomes).length) this.check();
  }

  keep() {
    clearTimeout(this.keeping);
    this.keeping = null;
    const { batch, outcomes, text, page } = this;
    const keepWith = (pasted) => passing.set(storageName, JSON.stringify({ owner: page.accounts.own.ID, batch, outcomes, text: pasted }));
    // Where there is no room for all, what became of the lines comes before the lines.
    if (!keepWith(text.value) && !keepWith('')) keepWith(text.value);
  }

  keepSoon() {
    this.keeping ??= setTimeout(() => this.keep(), keptEvery);
  }

  /** Chromium takes a minute to put thousands of lines into a field one by one. */
  paste(event) {
    const text = event.clipboardData.getData('text/plain');
    if (text.length < longPaste) return;
    event.preventDefault();
    this.text.setRangeText(text, this.text.selectionStart, this.text.selectionEnd, 'end');
    this.keepSoon();
  }

  async startAnew() {
    const isUnknown = this.lines.some((line) => line.state === 'unknown');
    const question = { title: t('bulkNew'), body: t(isUnknown ? 'bulkNewUnknown' : 'bulkNewNote'), danger: isUnknown };
    if (Object.keys(this.outcomes).length && !await confirmDialog(question)) return;
    passing.remove(storageName);
    this.restore();
    clearFaults(this.form);
    byId('bulk-preview').hidden = true;
    this.text.focus();
  }

  /** Looks each line through, and its account up where it is not in the list: single look-ups are free. */
  async check() {
    clearFaults(this.form);
    const lines = parseLines(this.text.value);
    if (!lines.length) {
      showFault(this.form, null, t('bulkNothing'));
      return;
    }
    this.form.setAttribute('aria-busy', 'true');
    try {
      await this.page.accounts.loadOwn();
      await this.lookUp(lines.filter((line) => !line.problem));
      this.judge(lines);
      Object.assign(this, { lines, said: [] });
      this.keep();
      byId('bulk-preview').hidden = false;
      this.render();
    } catch (error) {
      showFault(this.form, null, explain(error));
    }
    say(this.form);
    this.form.setAttribute('aria-busy', 'false');
  }

  async lookUp(lines) {
    const { accounts } = this.page;
    const known = accounts.byName().set(accounts.own.Name.toLowerCase(), accounts.own);
    const wanted = new Set(lines.map((line) => line.who.toLowerCase()).filter((who) => !known.has(who)));
    const waiting = wanted.values();
    let done = 0;
    const work = async () => {
      for (const who of waiting) {
        known.set(who, await accounts.look(who));
        done += 1;
        say(this.form, t('bulkLooking', { done, total: wanted.size }));
      }
    };
    await Promise.all(Array.from({ length: lookedUpAtOnce }, work));
    for (const line of lines) line.row = known.get(line.who.toLowerCase());
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
    const { isRoot, own } = this.page.accounts;
    return isRoot ? 0n : priceOf(line.amount, line.row.Rates, own.Rates);
  }

  open() {
    return this.lines.filter((line) => !['problem', 'done'].includes(line.state) && !isLost(line));
  }

  /** What is to be done, in numbers for texts. */
  sums() {
    const open = this.open();
    const count = (state) => this.lines.filter((line) => line.state === state).length;
    const sum = (of) => open.reduce((total, line) => total + of(line), 0n);
    const cost = sum((line) => this.costOf(line));
    const balance = nanosOf(this.page.accounts.own.Balance);
    return {
      count: open.length, done: count('done'), bad: count('problem'), isShort: !this.page.accounts.isRoot && cost > balance,
      amount: exactMoney(sum((line) => line.amount)), cost: exactMoney(cost), ...change(balance, -cost),
    };
  }

  /** How long what is to be recharged stays: once for all lines, or for how many each. */
  validity() {
    const counts = new Map();
    for (const { days = usualDays } of this.open()) counts.set(days, (counts.get(days) ?? 0) + 1);
    const all = [...counts.keys()].sort((a, b) => a - b);
    if (!all.length) return '';
    if (all.length > mostLengths) return t('bulkDaysMixed', { least: daysOf(all[0]), most: daysOf(all.at(-1)) });
    const said = all.length === 1 ? [daysOf(all[0])] : all.map((days) => t('bulkDaysOf', { days: daysOf(days), count: counts.get(days) }));
    return t('bulkDays', { days: said.join(', ') });
  }

  render() {
    fill(byId('bulk-head'), columns.map((each) => h('th', { scope: 'col', class: ['amount', 'cost'].includes(each) ? 'number' : null }, t(`bulk_${each}`))));
    this.renderState();
    this.pager.setLines(this.lines, { keepPage: true });
  }

  renderState() {
    const sums = this.sums();
    const texts = ['bulkSums', sums.count && (this.page.accounts.isRoot ? 'issued' : 'bulkCosts'), sums.isShort && 'bulkShort', ...this.said];
    fill(byId('bulk-summary'), [...texts.filter(Boolean).map((each) => t(each, sums)), this.validity()].join(' '));
    const isRunning = Boolean(this.stopping);
    fill(byId('bulk-go'), t('bulkGo', sums));
    byId('bulk-go').disabled = sums.isShort;
    byId('bulk-go').hidden = isRunning || !sums.count;
    for (const each of ['bulk-stop', 'bulk-bar']) byId(each).hidden = !isRunning;
    for (const each of this.form.elements) each.disabled = isRunning;
  }

  rowOf(line) {
    const { row, amount, days, state } = line;
    const contents = {
      line: number(line.number), account: row?.Email ? [foreign(row.Name), ' ', h('span', { class: 'muted' }, foreign(row.Email))] : foreign(line.text),
      amount: amount ? [exactMoney(amount), !line.problem && ` · ${daysOf(days)}`] : '–', cost: line.problem ? '–' : exactMoney(this.costOf(line)),
      result: [h('span', { class: `badge ${badges[state]}` }, t(`bulk_${state}`)), ' ', line.problem ? t(line.problem) : isLost(line) ? t('bulkLost') : line.result],
    };
    return h('tr', { role: 'row' }, columns.map((each) => cell(each, t(`bulk_${each}`), ['amount', 'cost'].includes(each), contents[each])));
  }

  async go() {
    clearFaults(this.form);
    byId('bulk-go').disabled = true;
    try {
      await this.page.accounts.loadOwn();
    } catch (error) {
      showFault(this.form, null, explain(error));
      return;
    } finally {
      this.render();
    }
    const sums = this.sums();
    if (sums.isShort || !sums.count) return;
    const facts = [t('bulkGives', sums), t(this.page.accounts.isRoot ? 'issued' : 'costs', sums), this.validity(), sums.bad && t('bulkLeftOut', sums), t('bulkOnce')];
    if (await confirmDialog({ title: t('bulkGo', sums), body: factList(facts.filter(Boolean)), confirm: t('recharge') })) await this.run();
  }

  async run() {
    this.said = [];
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    window.onbeforeunload = (event) => event.preventDefault();
    const lines = this.open();
    let end = 'bulkEnded';
    for (const [index, line] of lines.entries()) {
      Object.assign(byId('bulk-bar'), { max: lines.length, value: index });
      await this.recharge(line, signal);
      if (signal.aborted) end = 'bulkStopped';
      else if (line.state === 'unknown' && !isLost(line)) end = 'bulkBroken';
      else continue;
      break;
    }
    window.onbeforeunload = null;
    this.stopping = null;
    this.said = [end];
    this.keep();
    this.render();
  }

  async recharge(line, signal) {
    const { accounts, api } = this.page;
    const { row, amount, days } = line;
    const intent = new Intent({
      method: 'put', path: `/x-users/${row.ID}`, body: { CreditGranted: dollarsOf(amount), ...(days === undefined ? {} : { Days: days }) },
      text: 'rechargeTitle', values: { name: row.Name, amount: exactMoney(amount) }, owner: accounts.own.ID, key: `${this.batch} ${line.id}`,
    });
    this.settle(line, 'running');
    intent.at = line.at;
    try {
      const onWait = (seconds) => this.settle(line, 'running', t('waiting', { count: Math.ceil(seconds) }));
      const answer = await intent.send(api, { signal, onWait });
      accounts.apply(answer);
      line.row = { ...row, ...answer.User.Updates };
      this.settle(line, 'done', t('bulkNow', { balance: money(line.row.Balance) }));
    } catch (error) {
      this.settle(line, intent.isOpen || error.code === 'too_old' ? 'unknown' : 'failed', explain(error));
    }
    // What is still open of it is for this batch to finish, with the same key.
    intent.forget();
  }

  /** A reload may forget the last half second: those lines have the same keys again, and are answered as before. */
  settle(line, state, result = '') {
    // It counts from when it was sent first.
    const at = ['running', 'unknown'].includes(line.state) ? line.at : Date.now();
    Object.assign(line, { state, result, at });
    this.outcomes[line.id] = { state: state === 'running' ? 'unknown' : state, result, at };
    this.keepSoon();
    // Once for many lines: thousands go by in a minute.
    this.rendering ??= requestAnimationFrame(() => {
      this.rendering = null;
      this.renderState();
      this.pager.render();
    });
  }
}
