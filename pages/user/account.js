// One account: what it has, and all that can be done to it.
import { byId, fill, foreign, h } from './shared/dom.js';
import { dateTime, money, number } from './shared/format.js';
import { explain, isAborted } from './shared/api.js';
import { showSecret } from './shared/dialog.js';
import { t } from './shared/i18n.js';
import { toast } from './shared/toast.js';
import { act, nameOf } from './action.js';
import { changesOf, clearFaults, read, setUp, show, showFault, textOf } from './fields.js';
import { balanceText, exactMoney, nanosOf, priceOf, refundOf, worthOf } from './money.js';
import { fees } from './config.js';
import { parentOf } from './tree.js';

const forms = ['recharge', 'takeBack', 'rates', 'limits', 'access', 'names', 'rotate', 'remove'];
const changeForms = ['limits', 'access', 'names'];
const limitNames = ['RPM', 'RPH', 'RPD', 'TPM', 'TPH', 'TPD', 'Concurrency'];

export function statusBadge(row) {
  return h('span', { class: `badge ${row.Status ? 'good' : 'bad'}` }, t(row.Status ? 'statusOn' : 'statusOff'));
}

/** Today's, as the server wants it; where its day is another one, it says so and is asked again. */
export function confirmation(what) {
  const now = new Date();
  const day = [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((each) => String(each).padStart(2, '0')).join('-');
  return `${day}-ROTATE-${what}`;
}

/** What `amount` of new credit costs and gives, in words. */
export function grantFacts(own, isRoot, row, amount) {
  const values = { name: row.Name, amount: exactMoney(amount) };
  const balance = nanosOf(row.Balance);
  const facts = [t('gives', { ...values, before: balanceText(balance), after: balanceText(balance + amount) })];
  if (isRoot) return [t('issued', values), ...facts];
  const cost = priceOf(amount, row.Rates, own.Rates);
  const mine = nanosOf(own.Balance);
  return [t('costs', { cost: exactMoney(cost), before: balanceText(mine), after: balanceText(mine - cost) }), ...facts];
}

export class AccountView {
  constructor(page) {
    this.page = page;
    this.row = null;
    for (const each of forms) setUp(byId(each));
    this.listen('recharge', () => this.recharge());
    this.listen('takeBack', () => this.takeBack());
    this.listen('rates', () => this.setRate());
    for (const each of changeForms) this.listen(each, () => this.change(byId(each)));
    this.listen('rotate', () => this.rotate());
    this.listen('remove', () => this.remove());
    for (const each of ['recharge', 'takeBack', 'rates']) byId(each).addEventListener('input', () => this.foretell());
    byId('take-all').addEventListener('click', () => {
      byId('takeBack').elements.CreditGranted.value = textOf(Math.max(0, this.row.Balance));
      this.foretell();
    });
    byId('look').addEventListener('click', () => this.open(this.row.ID));
    byId('switch').addEventListener('click', () => this.switch());
  }

  listen(name, action) {
    byId(name).addEventListener('submit', (event) => {
      event.preventDefault();
      action();
    });
  }

  /** Looks the account up, which is free, and shows it. Forms keep what was typed into them for the same account. */
  async open(id) {
    const isOther = this.row?.ID !== id;
    this.looking?.abort();
    this.looking = new AbortController();
    const { signal } = this.looking;
    byId('account-error').hidden = true;
    if (isOther) byId('account').hidden = true;
    byId('view-account').setAttribute('aria-busy', 'true');
    try {
      const { accounts } = this.page;
      const row = await accounts.look(id, signal);
      if (!row) throw new Error(t('error.account_not_found'));
      this.parent = accounts.parentOf(row) ?? await accounts.look(parentOf(row), signal);
      this.row = row;
      byId('account').hidden = false;
      this.render();
      if (isOther) this.reset();
      else this.foretell();
      if (isOther) byId('account-title').focus();
    } catch (error) {
      if (!isAborted(error)) fill(byId('account-error'), explain(error)).hidden = false;
    } finally {
      if (!signal.aborted) byId('view-account').removeAttribute('aria-busy');
    }
  }

  reset() {
    for (const each of forms) {
      const form = byId(each);
      form.reset();
      clearFaults(form);
    }
    show(byId('rates'), this.row);
    for (const each of changeForms) show(byId(each), this.row);
    // These two say what is added to the list, not what is on it.
    for (const each of ['AllowIPs', 'AllowModels']) byId('access').elements[each].value = '';
    this.foretell();
  }

  render() {
    if (!this.row) return;
    const { row, parent } = this;
    fill(byId('account-title'), nameOf(row), ' ', statusBadge(row));
    const facts = {
      field_Email: foreign(row.Email), col_Balance: balanceText(nanosOf(row.Balance)), granted: money(row.CreditGranted),
      col_CreditUsed: money(row.CreditUsed), col_Rates: number(row.Rates), col_HardLimit: row.HardLimit ? money(row.HardLimit) : t('unlimited'),
      col_Requests: number(row.Requests), above: parent ? nameOf(parent) : '–', col_Child: number(row.Child),
      keyEnd: h('code', {}, `…${row.PartialKey}`), col_CreatedAt: dateTime(row.CreatedAt),
    };
    fill(byId('account-facts'), Object.entries(facts).map(([name, value]) => h('div', {}, h('dt', {}, t(name)), h('dd', {}, value))));
    fill(byId('switch'), t(row.Status ? 'disable' : 'enable'));
    const bounds = limitNames.filter((each) => parent?.[each] > 0).map((each) => `${t(`field_${each}`)} ${number(parent[each])}`);
    fill(byId('bounds'), bounds.length ? t('bounds', { limits: bounds.join(' · ') }) : '');
    fill(byId('lists'), ['AllowModels', 'AllowIPs'].map((each) => this.listOf(each)));
    fill(byId('rotate-note'), t(this.page.accounts.isRoot ? 'rotateNote' : 'rotateNotRoot'));
    byId('rotate').querySelector('button').hidden = !this.page.accounts.isRoot;
    byId('remove').querySelector('button').disabled = row.Child > 0;
    this.foretell();
  }

  /** What is on a list; a press on an entry says to take it out. */
  listOf(name) {
    const entries = this.row[name].split(' ');
    const takeOut = (entry) => {
      const field = byId('access').elements[name.replace('Allow', 'Deny')];
      field.value = `${field.value} ${entry}`.trim();
      field.focus();
    };
    const shown = entries.map((each) => (each === '*' ? t('all')
      : h('button', { type: 'button', class: 'chip', dir: 'ltr', 'aria-label': t('takeOut', { entry: each }), on: { click: () => takeOut(each) } }, each)));
    return h('div', { class: 'row' }, h('span', { class: 'muted' }, t(`now_${name}`)), shown);
  }

  amountIn(form) {
    const amount = nanosOf(byId(form).elements.CreditGranted.value);
    return amount !== null && amount > 0n ? amount : null;
  }

  /** Beside the forms, what they would move. */
  foretell() {
    if (!this.row) return;
    const { accounts } = this.page;
    const [grant, taken] = ['recharge', 'takeBack'].map((each) => this.amountIn(each));
    const rate = nanosOf(byId('rates').elements.Rates.value);
    const say = (form, facts) => fill(byId(form).querySelector('.preview'), facts.map((each) => h('span', {}, each, ' ')));
    say('recharge', grant ? grantFacts(accounts.own, accounts.isRoot, this.row, grant) : []);
    say('takeBack', taken ? this.takeBackFacts(taken) : []);
    say('rates', rate > 0n ? this.rateFacts(rate) : []);
    say('remove', this.row.Child > 0 ? [t('error.has_children')] : this.removeFacts());
  }

  takeBackFacts(amount) {
    const { own, isRoot } = this.page.accounts;
    const { row } = this;
    const balance = nanosOf(row.Balance);
    const values = { name: row.Name, amount: exactMoney(amount), before: balanceText(balance), after: balanceText(balance - amount) };
    if (isRoot) return [t('takes', values), t('withdrawn')];
    const worth = worthOf(amount, row.Rates, own.Rates);
    const fee = nanosOf(fees.transaction);
    const mine = nanosOf(own.Balance);
    return [t('takes', values), t('getsBack', { worth: exactMoney(worth), fee: exactMoney(fee), before: balanceText(mine), after: balanceText(mine + worth - fee) })];
  }

  rateFacts(rate) {
    const balance = nanosOf(this.row.Balance);
    const after = balance * rate / (nanosOf(this.row.Rates) || 1n);
    return [t('ratesMove', { before: balanceText(balance), after: balanceText(after) }), t('noMoney')];
  }

  removeFacts() {
    const { row, parent, page: { accounts } } = this;
    const balance = nanosOf(row.Balance);
    const name = parent?.Name ?? '–';
    const before = exactMoney(balance);
    if (balance === 0n) return [t('noMoney')];
    if (parent?.Level === 0) return [t('refundToRoot', { name, before })];
    if (balance < 0n) return [t('debt', { name, debt: exactMoney(-balance), price: exactMoney(priceOf(-balance, row.Rates, parent?.Rates)) })];
    const { refund, fee } = refundOf(balance, row.Rates, parent?.Rates, accounts.isRoot ? 0n : nanosOf(fees.transaction));
    return [t('refund', { name, before, refund: exactMoney(refund), fee: exactMoney(fee) })];
  }

  /** Asks and does; then shows the account as the answer has it. */
  async put(form, question, body) {
    const { row } = this;
    const call = { path: `/x-users/${row.ID}`, body, label: question.label, values: { name: row.Name, amount: question.amount } };
    const answer = await act(this.page, form, question, call);
    if (!answer) return null;
    this.row = { ...row, ...answer.User.Updates };
    this.render();
    return answer;
  }

  async recharge() {
    const form = byId('recharge');
    const values = read(form);
    if (!values) return;
    const { accounts } = this.page;
    const amount = nanosOf(values.CreditGranted);
    const facts = grantFacts(accounts.own, accounts.isRoot, this.row, amount);
    facts.push(t('limitBecomes'), t('validFor', { count: values.Days ?? 365 }));
    const question = { title: t('rechargeTitle', { name: this.row.Name, amount: exactMoney(amount) }), facts, confirm: t('recharge'), label: 'rechargeTitle', amount: exactMoney(amount) };
    if (await this.put(form, question, values)) this.finish(form, 'recharged');
  }

  async takeBack() {
    const form = byId('takeBack');
    const values = read(form);
    if (!values) return;
    const amount = nanosOf(values.CreditGranted);
    if (amount > nanosOf(this.row.Balance)) {
      showFault(form, 'CreditGranted', t('wrongTooMuch', { balance: exactMoney(nanosOf(this.row.Balance)) }));
      return;
    }
    const title = t('takeBackTitle', { name: this.row.Name, amount: exactMoney(amount) });
    const question = { title, facts: this.takeBackFacts(amount), confirm: t('takeBack'), danger: true, label: 'takeBackTitle', amount: exactMoney(amount) };
    if (await this.put(form, question, { CreditGranted: -values.CreditGranted })) this.finish(form, 'tookBack');
  }

  /** The amount goes, so that a second press does not do it again by oversight. */
  finish(form, text) {
    form.reset();
    this.foretell();
    const { own, isRoot } = this.page.accounts;
    const values = { name: this.row.Name, balance: balanceText(nanosOf(this.row.Balance)), own: balanceText(nanosOf(own.Balance)) };
    fill(form.querySelector('.form-status'), t(text, values), ' ', isRoot ? '' : t('ownNow', values));
  }

  async setRate() {
    const form = byId('rates');
    const values = changesOf(form, this.row);
    if (!values) return;
    if (!('Rates' in values)) {
      fill(form.querySelector('.form-status'), t('nothingChanged'));
      return;
    }
    const facts = [t('changesTo', { field: t('field_Rates'), value: number(values.Rates) }), ...this.rateFacts(nanosOf(values.Rates))];
    await this.put(form, { title: t('changeTitle', { name: this.row.Name }), facts, confirm: t('save'), label: 'changeTitle' }, values);
  }

  async change(form) {
    const values = changesOf(form, this.row);
    if (!values) return;
    if (!Object.keys(values).length) {
      fill(form.querySelector('.form-status'), t('nothingChanged'));
      return;
    }
    const facts = Object.entries(values).map(([name, value]) => h('span', {},
      t(`field_${name}`), ': ', typeof value === 'object' ? h('code', {}, JSON.stringify(value)) : foreign(value === '' ? t('none') : value)));
    if (form.id === 'access') facts.push(t('accessWarning'));
    facts.push(t('noMoney'));
    const answer = await this.put(form, { title: t('changeTitle', { name: this.row.Name }), facts, confirm: t('save'), label: 'changeTitle' }, values);
    if (!answer || form.id !== 'access') return;
    for (const each of ['AllowIPs', 'DenyIPs', 'AllowModels', 'DenyModels']) form.elements[each].value = '';
  }

  async switch() {
    const { row } = this;
    const name = row.Status ? 'disable' : 'enable';
    const question = { title: `${t(name)}: ${row.Name}`, facts: [t(`${name}Note`), t('noMoney')], confirm: t(name), danger: row.Status, label: 'changeTitle' };
    await this.put(byId('names'), question, { Status: !row.Status });
  }

  async rotate() {
    const { row } = this;
    const question = { title: t('rotateTitle', { name: row.Name }), facts: [t('rotateStops', { end: row.PartialKey.slice(-4) }), t('noMoney')], confirm: t('rotate'), danger: true };
    const call = { method: 'POST', path: '/x-root', body: { name: row.Name, confirm: confirmation('ROOT') }, label: 'rotateTitle', values: { name: row.Name } };
    const answer = await act(this.page, byId('rotate'), question, call);
    if (!answer) return;
    await showSecret({ title: t('newKeyOf', { name: row.Name }), secret: answer.rotate.key });
    this.open(row.ID);
  }

  async remove() {
    const { row } = this;
    const question = { title: t('deleteTitle', { name: row.Name }), facts: [t('deleteNote'), ...this.removeFacts()], confirm: t('delete'), danger: true };
    const call = { method: 'DELETE', path: `/x-users/${row.ID}`, label: 'deleteTitle', values: { name: row.Name } };
    const answer = await act(this.page, byId('remove'), question, call);
    if (!answer) return;
    toast(t('deleted', { name: row.Name, parent: answer.Parent.Name, balance: money(answer.Parent.Balance) }), 'good');
    this.row = null;
    location.hash = 'list';
  }
}
