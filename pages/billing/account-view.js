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
  #limits = h('div');
  #spending = null;
  #requests = null;

  constructor(box, reload) {
    this.#box = box;
    this.#reload = reload;
  }

  /** Shows an account, or what is newly known of it. */
  show(account) {
    const isSame = account === this.#account;
    this.#box.setAttribute('aria-busy', String(Boolean(account?.isLoading)));
    if (isSame && account?.info && this.#requests) {
      this.#refresh();
      return;
    }
    this.#ending.abort();
    this.#ending = new AbortController();
    this.#account = account;
    this.#spending = this.#requests = null;
    this.#box.hidden = !account;
    if (!account) {
      fill(this.#box);
      return;
    }
    if (account.info) this.#begin(account);
    this.#renderOverview();
    fill(this.#box, this.#overview, this.#spending?.element, this.#limits, this.#requests?.element);
  }

  render() {
    if (!this.#account) return;
    this.#renderOverview();
    this.#spending?.render();
    this.#requests?.render();
  }

  /** The same account asked anew: what the reader has chosen and opened stays. */
  #refresh() {
    this.#renderOverview();
    this.#spending.load();
    this.#requests.reload();
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
      fill(this.#limits);
      fill(this.#overview, h('h2', { id: 'account-title' }, foreign(account.title)), fault || h('p', { class: 'muted' }, t('loading')));
      return;
    }
    fill(this.#overview, heading(account), fault, tiles(account), cards(account));
    fill(this.#limits, limits(account));
  }
}
