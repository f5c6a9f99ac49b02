// What an account may do to itself: its alias, where its bills go, a new key.
import { byId, fill, foreign, h } from './shared/dom.js';
import { date, money, relative } from './shared/format.js';
import { showSecret } from './shared/dialog.js';
import { t } from './shared/i18n.js';
import { confirmation } from './account.js';
import { act } from './action.js';
import { changesOf, setUp, show } from './fields.js';

export class SelfView {
  constructor(page) {
    this.page = page;
    for (const each of ['self', 'rotateSelf']) setUp(byId(each));
    show(byId('self'), page.accounts.own);
    byId('self').addEventListener('submit', (event) => {
      event.preventDefault();
      this.save();
    });
    byId('rotateSelf').addEventListener('submit', (event) => {
      event.preventDefault();
      this.rotate();
    });
  }

  render() {
    const { own } = this.page.accounts;
    const cards = own.Cards.map((each) => h('li', { class: 'row between' },
      h('span', {}, h('strong', {}, money(each.balance)), ' ', h('span', { class: 'muted' }, t('ofAmount', { amount: money(each.amount) }))),
      h('span', { class: 'muted' }, foreign(each.reference)),
      h('span', {}, t('expires', { date: date(each.expires_at), relative: relative(each.expires_at) }))));
    fill(byId('cards'), cards.length ? cards : h('li', { class: 'muted' }, t('noCards')));
  }

  async save() {
    const { own } = this.page.accounts;
    const body = changesOf(byId('self'), own);
    if (!body) return;
    if (!Object.keys(body).length) {
      fill(byId('self').querySelector('.form-status'), t('nothingChanged'));
      return;
    }
    const facts = Object.entries(body).map(([name, value]) => [t(`field_${name}`), ': ', foreign(value || t('none'))]);
    const question = { title: t('changeTitle', { name: own.Name }), facts: [...facts, t('noMoney')], confirm: t('save') };
    await act(this.page, byId('self'), question, { path: `/x-users/${own.ID}`, body, label: 'changeTitle', values: { name: own.Name } });
  }

  async rotate() {
    const { own } = this.page.accounts;
    const question = { title: t('rotateTitle', { name: own.Name }), facts: [t('rotateSelfNote'), t('noMoney')], confirm: t('rotate'), danger: true };
    const call = { method: 'POST', path: '/x-self', body: { confirm: confirmation('SELF') }, label: 'rotateTitle', values: { name: own.Name } };
    const answer = await act(this.page, byId('rotateSelf'), question, call);
    if (!answer) return;
    this.page.changeKey(answer.rotate.key);
    await showSecret({ title: t('newKeyOf', { name: own.Name }), secret: answer.rotate.key });
  }
}
