// A new account, whose key is shown once.
import { byId, fill, h } from './shared/dom.js';
import { t } from './shared/i18n.js';
import { act, readAnew, showKeyOf } from './action.js';
import { makeForm, preview, read, say } from './fields.js';
import { exactMoney, nanosOf } from './money.js';
import { grantFacts, isShort } from './moves.js';

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
    const { accounts } = this.page;
    const amount = nanosOf(CreditGranted);
    const row = this.rowOf({ Name: Name || '…', Rates: nanosOf(Rates) > 0n ? Rates : undefined });
    preview(this.form, amount > 0n ? grantFacts(accounts, row, amount) : []);
    this.showShort(amount > 0n && isShort(accounts, row, amount));
    fill(byId('create-CreditGranted-hint'), t('firstCredit', { minimum: exactMoney(nanosOf(accounts.minimums.user)) }));
  }

  /** More than there is cannot be asked for. What else the form says stays. */
  showShort(isTooMuch) {
    if (isTooMuch || this.isTooMuch) say(this.form, isTooMuch && t('createShort'));
    this.isTooMuch = isTooMuch;
    this.form.querySelector('.row button').disabled = isTooMuch;
  }

  rowOf({ Name, Rates = this.page.accounts.own.Rates }) {
    return { Name, Rates, Balance: 0 };
  }

  /** Reads the caller's own balance and rate anew, which the question tells. Whether it can be asked. */
  async isAnew() {
    const isRead = await readAnew(this.form, async () => {
      await this.page.accounts.loadOwn();
      return true;
    });
    this.render();
    return isRead && !this.isTooMuch;
  }

  async create() {
    const body = read(this.form);
    if (!body || !await this.isAnew()) return;
    const facts = [...grantFacts(this.page.accounts, this.rowOf(body), nanosOf(body.CreditGranted)), t('validFor', { count: body.Days ?? 365 })];
    const action = { text: 'createTitle', values: { name: body.Name }, facts, button: 'doCreate', method: 'post', path: '/x-users', body };
    const answer = await act(this.page, this.form, action);
    if (answer) this.form.reset();
    this.render();
    if (!answer) return;
    await showKeyOf(answer);
    say(this.form, h('a', { href: `#account-${answer.User.ID}` }, t('openAccount', { name: answer.User.Name })));
    byId('create-Name').focus();
  }
}
