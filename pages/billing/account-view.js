// Everything about the account that was chosen.
import { explain } from './shared/api.js';
import { fill, foreign, h } from './shared/dom.js';
import { t } from './shared/i18n.js';
import { cards, heading, limits, tiles } from './overview.js';
import { Requests } from './requests.js';
import { retry, Spending } from './spending.js';

export class AccountView {
  #box;
  #reload;
  #account = null;
  #ending = new AbortController();
  #overview = h('div', { class: 'stack' });
  #spending = null;
  #requests = null;

  constructor(box, reload) {
    this.#box = box;
    this.#reload = reload;
  }

  /** Shows an account, or what is newly known of it. */
  show(account) {
    this.#ending.abort();
    this.#ending = new AbortController();
    this.#account = account;
    this.#spending = this.#requests = null;
    this.#box.hidden = !account;
    if (!account) {
      fill(this.#box);
      return;
    }
    this.#box.setAttribute('aria-busy', String(account.isLoading));
    if (account.info) this.#begin(account);
    this.#renderOverview();
    fill(this.#box, this.#overview, this.#spending?.element, this.#requests?.element);
  }

  render() {
    if (!this.#account) return;
    this.#renderOverview();
    this.#spending?.render();
    this.#requests?.render();
  }

  #begin(account) {
    this.#spending = new Spending(account, this.#ending.signal);
    this.#requests = new Requests(account, this.#ending.signal);
    this.#spending.onBill = (bill) => this.#requests.suggest(bill);
    this.#spending.load();
    this.#requests.load();
  }

  #renderOverview() {
    const account = this.#account;
    const fault = account.error && h('div', { class: 'notice bad row between', role: 'alert' }, h('span', {}, explain(account.error)), retry(() => this.#reload(account)));
    if (!account.info) {
      fill(this.#overview, h('h2', { id: 'account-title' }, foreign(account.title)), fault || h('p', { class: 'muted' }, t('loading')));
      return;
    }
    fill(this.#overview, heading(account), fault, tiles(account), cards(account), limits(account));
  }
}
