// A new account, whose key is shown once.
import { byId, fill, h } from './shared/dom.js';
import { showSecret } from './shared/dialog.js';
import { t } from './shared/i18n.js';
import { act } from './action.js';
import { read, setUp } from './fields.js';
import { exactMoney, nanosOf } from './money.js';
import { grantFacts } from './account.js';

export class CreateView {
  constructor(page) {
    this.page = page;
    this.form = byId('create');
    setUp(this.form);
    this.form.addEventListener('input', () => this.render());
    this.form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.create();
    });
  }

  /** What it would cost, while it is filled in. */
  render() {
    const values = Object.fromEntries(new FormData(this.form));
    const amount = nanosOf(values.CreditGranted);
    const facts = amount > 0n ? this.facts({ Name: values.Name.trim() || '…', Rates: nanosOf(values.Rates) ? values.Rates : undefined }, amount) : [];
    fill(this.form.querySelector('.preview'), facts.map((each) => h('span', {}, each, ' ')));
  }

  facts({ Name, Rates }, amount) {
    const { own, isRoot } = this.page.accounts;
    return grantFacts(own, isRoot, { Name, Balance: 0, Rates: Rates ?? own.Rates }, amount);
  }

  async create() {
    const body = read(this.form);
    if (!body) return;
    const amount = nanosOf(body.CreditGranted);
    const question = { title: t('createTitle', { name: body.Name }), facts: [...this.facts(body, amount), t('validFor', { count: body.Days ?? 365 })], confirm: t('doCreate') };
    const answer = await act(this.page, this.form, question, { method: 'POST', path: '/x-users', body, label: 'createTitle', values: { name: body.Name } });
    if (!answer) return;
    this.form.reset();
    this.render();
    await showSecret({ title: t('newKeyOf', { name: answer.User.Name }), secret: answer.User.SecretKey });
    const status = this.form.querySelector('.form-status');
    fill(status, h('a', { href: `#account-${answer.User.ID}` }, t('openAccount', { name: answer.User.Name })));
    byId('create-Name').focus();
  }
}
