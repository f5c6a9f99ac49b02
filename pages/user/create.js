// A new account, whose key is shown once.
import { byId, fill, h } from './shared/dom.js';
import { t } from './shared/i18n.js';
import { act, showKeyOf } from './action.js';
import { makeForm, preview, read, say } from './fields.js';
import { nanosOf } from './money.js';
import { grantFacts } from './moves.js';

export class CreateView {
  constructor(page) {
    this.page = page;
    this.form = makeForm('create', {
      title: 'tabCreate', heading: 'h2', needs: 'Name! Email! CreditGranted! Days Rates Alias BillingEmail',
      folded: { limits: 'HardLimit SoftLimit RPM RPH RPD TPM TPH TPD Concurrency ModelLimits', access: 'AllowModels AllowIPs Resources AbortPolicy' },
      button: 'doCreate', kind: 'primary', submit: () => this.create(),
    });
    this.form.addEventListener('input', () => this.render());
    this.form.querySelector('details').before(h('p', { class: 'muted small', 'data-t': 'blankNote' }));
    fill(byId('view-create'), this.form);
  }

  /** What it would cost, while it is filled in. */
  render() {
    const { Name, CreditGranted, Rates } = Object.fromEntries(new FormData(this.form));
    const amount = nanosOf(CreditGranted);
    preview(this.form, amount > 0n ? this.facts({ Name: Name || '…', Rates: nanosOf(Rates) > 0n ? Rates : undefined }, amount) : []);
  }

  facts({ Name, Rates = this.page.accounts.own.Rates }, amount) {
    return grantFacts(this.page.accounts, { Name, Rates, Balance: 0 }, amount);
  }

  async create() {
    const body = read(this.form);
    if (!body) return;
    const facts = [...this.facts(body, nanosOf(body.CreditGranted)), t('validFor', { count: body.Days ?? 365 })];
    const action = { text: 'createTitle', values: { name: body.Name }, facts, button: 'doCreate', method: 'post', path: '/x-users', body };
    const answer = await act(this.page, this.form, action);
    if (!answer) return;
    this.form.reset();
    this.render();
    await showKeyOf(answer);
    say(this.form, h('a', { href: `#account-${answer.User.ID}` }, t('openAccount', { name: answer.User.Name })));
    byId('create-Name').focus();
  }
}
