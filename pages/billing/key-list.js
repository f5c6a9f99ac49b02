// The list of keys beside the details: one line each, errors in words, sums when there are several.
import { explain } from './shared/api.js';
import { byId, fill, foreign, h } from './shared/dom.js';
import { money } from './shared/format.js';
import { t } from './shared/i18n.js';
import { shorten } from './shared/keys.js';

const step = 20;

export class KeyListView {
  #choose;
  #remove;
  #shown = step;
  #accounts = [];
  #selected = null;

  constructor({ choose, remove }) {
    this.#choose = choose;
    this.#remove = remove;
    byId('more-keys').addEventListener('click', () => {
      this.#shown += step;
      this.render();
    });
  }

  show(accounts, selected) {
    this.#accounts = accounts;
    this.#selected = selected;
    this.render();
  }

  render() {
    const accounts = this.#accounts;
    byId('keys').hidden = accounts.length === 0;
    fill(byId('keys-title'), t('keys.count', { count: accounts.length }));
    // Whoever moves through the list by keyboard stays where they are.
    const focused = document.activeElement?.closest('#key-list [data-place]')?.dataset.place;
    fill(byId('key-list'), accounts.slice(0, this.#shown).map((account, place) => this.#item(account, place)));
    if (focused) byId('key-list').querySelector(`[data-place='${focused}']`)?.focus();
    const rest = accounts.length - this.#shown;
    byId('more-keys').hidden = rest <= 0;
    fill(byId('more-keys'), t('keys.more', { count: Math.min(step, rest) }));
    renderTotals(accounts);
  }

  #item(account, place) {
    const isSelected = account === this.#selected;
    return h('li', { class: `key-item${isSelected ? ' selected' : ''}`, 'aria-busy': account.isLoading },
      h('button', {
        type: 'button', class: 'key-choice', 'aria-current': isSelected ? 'true' : null, dataset: { place: `choose-${place}` },
        on: { click: () => this.#choose(account) },
      }, summary(account)),
      h('button', {
        type: 'button', class: 'button quiet key-remove', 'aria-label': t('keys.remove', { name: account.title }),
        dataset: { place: `remove-${place}` }, on: { click: () => this.#remove(account) },
      }, '✕'));
  }
}

function summary(account) {
  const { info, error } = account;
  const name = h('span', { class: 'key-name' }, foreign(account.title));
  const key = h('code', { class: 'muted' }, shorten(account.key));
  if (error) {
    return [h('span', { class: 'row between' }, name, h('span', { class: 'badge bad' }, t('keys.failed'))),
      info?.name && key, h('span', { class: 'small key-error' }, explain(error))];
  }
  if (!info) return [name, h('span', { class: 'small muted' }, t('loading'))];
  return [h('span', { class: 'row between' }, name, state(account)),
    h('span', { class: 'row between small' }, key, h('span', { class: 'number' }, account.isRoot ? t('unlimited') : t('keys.left', { money: money(info.balance) })))];
}

/** The state of an account as a badge; nothing for one that works. */
export function state(account, always = false) {
  if (!account.info.status) return h('span', { class: 'badge bad' }, t('account.disabled'));
  if (account.info.balance <= 0 && !account.isRoot) return h('span', { class: 'badge warn' }, t('account.empty'));
  return always ? h('span', { class: 'badge good' }, t('account.active')) : null;
}

function renderTotals(accounts) {
  const known = accounts.filter((each) => each.info);
  const totals = byId('totals');
  totals.hidden = accounts.length < 2;
  const sum = (value, of = known) => money(of.reduce((total, each) => total + value(each.info), 0));
  const fact = (key, text) => [h('dt', {}, t(key)), h('dd', { class: 'number' }, text)];
  fill(totals,
    fact('left', sum((info) => info.balance, known.filter((each) => !each.isRoot))),
    fact('tile.today', sum((info) => info.daily_usage.CreditUsed)),
    fact('tile.month', sum((info) => info.monthly_usage.CreditUsed)));
}
