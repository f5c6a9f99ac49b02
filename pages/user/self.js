// What an account may do to itself: its alias, where its bills go, a new key.
import { byId, fill, foreign, h } from './shared/dom.js';
import { date, money, relative } from './shared/format.js';
import { t } from './shared/i18n.js';
import { act, rotation, showKeyOf } from './action.js';
import { changesOf, makeForm, preview, show } from './fields.js';

export class SelfView {
  constructor(page) {
    this.page = page;
    this.form = makeForm('self', { title: 'names', needs: 'Alias BillingEmail', submit: () => this.save() });
    this.rotation = makeForm('rotateSelf', { title: 'rotate', button: 'rotate', kind: 'danger', submit: () => this.rotate() });
    this.cards = h('ul', { class: 'stack' });
    fill(byId('view-self'), h('h2', { tabindex: '-1', 'data-t': 'tabSelf' }), h('div', { class: 'grid-2' }, this.form, this.rotation),
      h('section', { class: 'card stack' }, h('h3', { 'data-t': 'cards' }), this.cards));
    show(this.form, page.accounts.own);
  }

  render() {
    preview(this.rotation, [t('rotateSelfNote')]);
    fill(this.cards, this.page.accounts.own.Cards.map((each) => h('li', { class: 'row between' },
      h('span', {}, h('strong', {}, money(each.balance)), ' ', t('ofAmount', { amount: money(each.amount) })),
      h('span', { class: 'muted' }, foreign(each.reference)),
      h('span', {}, t('expires', { date: date(each.expires_at), relative: relative(each.expires_at) })))));
  }

  async save() {
    const { own } = this.page.accounts;
    const body = changesOf(this.form, own);
    if (!body) return;
    const facts = Object.entries(body).map(([name, value]) => [t(`field_${name}`), ': ', foreign(value || t('none'))]);
    const action = { text: 'changeTitle', values: { name: own.Name }, facts: [...facts, t('noMoney')], button: 'save', method: 'put', path: `/x-users/${own.ID}`, body };
    await act(this.page, this.form, action);
  }

  async rotate() {
    const values = { name: this.page.accounts.own.Name };
    const action = { text: 'rotateTitle', values, facts: [t('rotateSelfNote'), t('noMoney')], button: 'rotate', danger: true, method: 'post', path: '/x-self', body: rotation('SELF') };
    const answer = await act(this.page, this.rotation, action);
    if (!answer) return;
    this.page.changeKey(answer.rotate.key);
    await showKeyOf(answer);
  }
}
