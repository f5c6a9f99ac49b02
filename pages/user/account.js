// One account: what it has, and all that can be done to it.
import { byId, fill, foreign, h } from './shared/dom.js';
import { dateTime, money, number } from './shared/format.js';
import { explain, isAborted } from './shared/api.js';
import { t } from './shared/i18n.js';
import { limitNames } from './accounts.js';
import { act, nameOf, readAnew, rotation, showKeyOf } from './action.js';
import { changesOf, clearFaults, makeForm, preview, read, say, show, showFault, textOf } from './fields.js';
import { statusBadge } from './list.js';
import { exactMoney, nanosOf } from './money.js';
import { grantFacts, rateFacts, removeFacts, takeBackFacts } from './moves.js';
import { parentOf } from './tree.js';

const button = (text, click) => h('button', { class: 'button', type: 'button', 'data-t': text, on: { click } });

export class AccountView {
  constructor(page) {
    this.page = page;
    const make = (id, options) => makeForm(id, { submit: () => this[id](), ...options });
    this.forms = {
      recharge: make('recharge', { needs: 'CreditGranted! Days', button: 'recharge', kind: 'primary' }),
      takeBack: make('takeBack', { needs: 'CreditGranted!', button: 'takeBack', kind: 'danger' }),
      rates: make('rates', { needs: 'Rates!' }),
      limits: make('limits', { needs: `HardLimit SoftLimit ${limitNames.join(' ')} ModelLimits` }),
      access: make('access', { needs: 'AllowModels DenyModels AllowIPs DenyIPs Resources AbortPolicy' }),
      names: make('names', { needs: 'Name! Email! Alias BillingEmail' }),
      rotate: make('rotate', { button: 'rotate', kind: 'danger' }),
      remove: make('remove', { title: 'delete', button: 'delete', kind: 'danger' }),
    };
    const { recharge, takeBack, rates, limits, access, names, rotate, remove } = this.forms;
    for (const each of [recharge, takeBack, rates]) each.addEventListener('input', () => this.foretell());
    access.querySelector('.fields').before(access.querySelector('.preview'));
    takeBack.querySelector('.row').append(button('takeAll', () => this.takeAll()));
    this.title = h('h2', { id: 'account-title', tabindex: '-1' });
    this.facts = h('dl', { class: 'facts wide' });
    this.switch = button('disable', () => this.turn());
    this.error = h('p', { class: 'notice bad', id: 'account-error', role: 'alert', hidden: true });
    this.body = h('div', { id: 'account', class: 'stack', hidden: true },
      h('div', { class: 'card stack' }, this.title, this.facts, h('div', { class: 'row' }, button('look', () => this.open(this.row.ID)), this.switch)),
      h('div', { class: 'grid-2' }, recharge, takeBack, rates), limits, access, names, h('div', { class: 'grid-2' }, rotate, remove));
    fill(byId('view-account'), h('a', { href: '#list', 'data-t': 'back' }), this.error, this.body);
  }

  /** Looks the account up, which is free, and shows it. What was typed stays for the same account. */
  async open(id) {
    const { accounts } = this.page;
    const isOther = this.row?.ID !== id;
    this.looking?.abort();
    this.looking = new AbortController();
    const { signal } = this.looking;
    this.error.hidden = true;
    this.body.hidden = isOther;
    try {
      const row = await accounts.look(id, signal);
      if (!row) throw new Error(t('error.account_not_found'));
      this.parent = accounts.above(row) ?? await accounts.look(parentOf(row), signal);
      this.body.hidden = false;
      if (isOther) this.reset();
      this.become(row, isOther ? undefined : this.row);
      if (isOther) this.title.focus();
    } catch (error) {
      if (!isAborted(error)) fill(this.error, explain(error)).hidden = false;
    }
  }

  /** Reads the account and the caller's own anew, before a question about money. Whether that went well. */
  async isAnew(form) {
    const { accounts } = this.page;
    const { ID: id } = this.row;
    const isRead = await readAnew(form, async () => {
      const [row] = await Promise.all([accounts.look(id), accounts.loadOwn()]);
      if (!row) throw new Error(t('error.account_not_found'));
      const parent = parentOf(row) === accounts.own.ID ? accounts.own : await accounts.look(parentOf(row));
      // Another one may have been opened meanwhile.
      if (this.row?.ID !== id) return false;
      this.parent = parent;
      this.become(row, this.row);
      return true;
    });
    this.render();
    return isRead;
  }

  reset() {
    for (const form of Object.values(this.forms)) {
      form.reset();
      clearFaults(form);
    }
  }

  /** The account as it is now. Else a limit that a recharge has changed would be set back with the next limit that is saved. */
  become(row, before) {
    this.row = row;
    // The fields of lists say what is added and taken out, not what is on them.
    const access = (each) => each && { Resources: each.Resources, AbortPolicy: each.AbortPolicy };
    for (const each of ['rates', 'limits', 'names']) show(this.forms[each], row, before);
    show(this.forms.access, access(row), access(before));
    this.render();
  }

  render() {
    if (!this.row) return;
    const { row, parent, forms } = this;
    const { isRoot } = this.page.accounts;
    fill(this.title, nameOf(row), ' ', statusBadge(row));
    const facts = {
      field_Email: foreign(row.Email), col_Balance: exactMoney(nanosOf(row.Balance), 4), granted: money(row.CreditGranted), col_CreditUsed: money(row.CreditUsed),
      col_Rates: number(row.Rates), col_HardLimit: row.HardLimit ? money(row.HardLimit) : t('unlimited'), col_Requests: number(row.Requests),
      above: nameOf(parent), col_Child: number(row.Child), keyEnd: h('code', {}, `…${row.PartialKey}`), col_CreatedAt: dateTime(row.CreatedAt),
    };
    fill(this.facts, Object.entries(facts).map(([name, value]) => h('div', {}, h('dt', {}, t(name)), h('dd', {}, value))));
    this.switch.dataset.t = row.Status ? 'disable' : 'enable';
    fill(this.switch, t(this.switch.dataset.t));
    const bounds = limitNames.filter((each) => parent[each]).map((each) => `${t(`field_${each}`)} ${number(parent[each])}`);
    preview(forms.limits, bounds.length ? [t('bounds', { limits: bounds.join(' · ') })] : []);
    preview(forms.access, [t('accessHint'), ...['AllowModels', 'AllowIPs'].map((each) => this.listOf(each))]);
    preview(forms.rotate, [t(isRoot ? 'rotateNote' : 'rotateNotRoot')]);
    forms.rotate.querySelector('button').hidden = !isRoot;
    forms.remove.querySelector('button').disabled = row.Child > 0;
    this.foretell();
  }

  /** What is on a list; a press on an entry says to take it out. */
  listOf(name) {
    const field = this.forms.access.elements[name.replace('Allow', 'Deny')];
    const takeOut = (entry) => {
      field.value = `${field.value} ${entry}`.trim();
      field.focus();
    };
    const entries = this.row[name].split(' ').map((entry) => (entry === '*' ? h('span', {}, t('all'))
      : h('button', { type: 'button', class: 'chip', dir: 'ltr', 'aria-label': t('takeOut', { entry }), on: { click: () => takeOut(entry) } }, entry)));
    return h('span', { class: 'row' }, h('span', {}, t(`now_${name}`)), entries);
  }

  /** In the forms, what they would move. */
  foretell() {
    const { row, forms, page: { accounts } } = this;
    const say = (form, name, facts) => {
      const amount = nanosOf(forms[form].elements[name].value);
      preview(forms[form], amount > 0n ? facts(amount) : []);
    };
    say('recharge', 'CreditGranted', (amount) => grantFacts(accounts, row, amount));
    say('takeBack', 'CreditGranted', (amount) => takeBackFacts(accounts, row, amount));
    say('rates', 'Rates', (rate) => (rate === nanosOf(row.Rates) ? [] : rateFacts(row, rate)));
    preview(forms.remove, row.Child > 0 ? [t('error.has_children')] : removeFacts(accounts, row, this.parent));
  }

  takeAll() {
    this.forms.takeBack.elements.CreditGranted.value = textOf(Math.max(0, this.row.Balance));
    this.foretell();
  }

  /** Asks and does; then shows the account as the answer has it. */
  async put(form, action) {
    const { row } = this;
    const answer = await act(this.page, form, { method: 'put', path: `/x-users/${row.ID}`, ...action, values: { name: row.Name, ...action.values } });
    if (!answer) return false;
    this.become({ ...row, ...answer.User.Updates }, row);
    return true;
  }

  async move(form, action) {
    if (!await this.put(form, action)) return;
    // The amount goes, so that another press does not do it again by oversight.
    form.reset();
    this.foretell();
    const { own, isRoot } = this.page.accounts;
    const texts = [t('nowHas', { name: this.row.Name, balance: exactMoney(nanosOf(this.row.Balance), 4) })];
    if (!isRoot) texts.push(t('ownNow', { balance: exactMoney(nanosOf(own.Balance), 4) }));
    say(form, texts.join(' '));
  }

  async recharge() {
    const form = this.forms.recharge;
    const body = read(form);
    if (!body || !await this.isAnew(form)) return;
    const amount = nanosOf(body.CreditGranted);
    const facts = [...grantFacts(this.page.accounts, this.row, amount), t('limitBecomes'), t('validFor', { count: body.Days ?? 365 })];
    await this.move(form, { text: 'rechargeTitle', values: { amount: exactMoney(amount) }, facts, button: 'recharge', body });
  }

  async takeBack() {
    const form = this.forms.takeBack;
    const body = read(form);
    if (!body || !await this.isAnew(form)) return;
    const amount = nanosOf(body.CreditGranted);
    const balance = nanosOf(this.row.Balance);
    if (amount > balance) {
      showFault(form, 'CreditGranted', t('wrongTooMuch', { balance: exactMoney(balance) }));
      return;
    }
    const facts = takeBackFacts(this.page.accounts, this.row, amount);
    const action = { text: 'takeBackTitle', values: { amount: exactMoney(amount) }, facts, button: 'takeBack', danger: true, body: { CreditGranted: -body.CreditGranted } };
    await this.move(form, action);
  }

  async change(form, lastFacts) {
    const body = changesOf(form, this.row);
    if (!body) return false;
    const said = ([name, value]) => [t(`field_${name}`), ': ', foreign(typeof value === 'object' ? JSON.stringify(value) : String(value) || t('none'))];
    const facts = [...Object.entries(body).map(said), ...lastFacts(body)];
    return this.put(form, { text: 'changeTitle', facts, button: 'save', body });
  }

  async rates() {
    return changesOf(this.forms.rates, this.row) && await this.isAnew(this.forms.rates) && this.change(this.forms.rates, (body) => rateFacts(this.row, nanosOf(body.Rates)));
  }

  limits() {
    return this.change(this.forms.limits, () => [t('noMoney')]);
  }

  names() {
    return this.change(this.forms.names, () => [t('noMoney')]);
  }

  async access() {
    const { elements } = this.forms.access;
    if (!await this.change(this.forms.access, () => [t('accessWarning'), t('noMoney')])) return;
    for (const each of ['AllowModels', 'DenyModels', 'AllowIPs', 'DenyIPs']) elements[each].value = '';
  }

  turn() {
    const { row } = this;
    const name = row.Status ? 'disable' : 'enable';
    return this.put(this.forms.names, { text: `${name}Title`, facts: [t(`${name}Note`), t('noMoney')], button: name, danger: row.Status, body: { Status: !row.Status } });
  }

  async rotate() {
    const { Name: name, ID: id, PartialKey: key } = this.row;
    const facts = [t('rotateStops', { end: key.slice(-4) }), t('noMoney')];
    const action = { text: 'rotateTitle', values: { name }, facts, button: 'rotate', danger: true, method: 'post', path: '/x-root', body: rotation('ROOT', { name }) };
    const answer = await act(this.page, this.forms.rotate, action);
    if (!answer) return;
    await showKeyOf(answer);
    this.open(id);
  }

  async remove() {
    clearFaults(this.forms.remove);
    if (!await this.isAnew(this.forms.remove)) return;
    const { row, page } = this;
    if (row.Child > 0) return;
    const facts = [t('deleteNote'), ...removeFacts(page.accounts, row, this.parent)];
    const action = { text: 'deleteTitle', values: { name: row.Name }, facts, button: 'delete', danger: true, method: 'delete', path: `/x-users/${row.ID}` };
    const answer = await act(page, this.forms.remove, action);
    if (!answer) return;
    this.row = null;
    page.leaveWith(t('deleted', { name: row.Name, parent: answer.Parent.Name, balance: money(answer.Parent.Balance) }));
  }
}
