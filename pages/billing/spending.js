// The last 30 days: a chart by model, and the sums by model and by account.
import { explain, isAborted } from './shared/api.js';
import { BarChart } from './shared/chart.js';
import { fill, foreign, h, worded } from './shared/dom.js';
import { compact, date, money, number, percent, shortDate } from './shared/format.js';
import { t } from './shared/i18n.js';
import { Table } from './shared/table.js';

const days = 30;
const dayLength = 86_400_000;
const kinds = {
  cost: { value: (use) => use.cost, format: money, whole: false },
  requests: { value: (use) => use.requests, format: compact, whole: true },
  tokens: { value: (use) => use.prompt + use.completion, format: compact, whole: true },
};

export class Spending {
  #account;
  #signal;
  #bill = null;
  #error = null;
  #kind = choice('spending.show', { cost: 'cost', requests: 'requests', tokens: 'tokens' }, () => this.#render());
  #scope = choice('spending.of', { all: 'spending.all', own: 'spending.own' }, () => this.load());
  #chart = new BarChart({ caption: 'spending.chart', label: date, axis: shortDate });
  #sum = h('p', { class: 'muted' });
  #fault = h('div', { role: 'status' });
  #models = new Table({ caption: 'models.title', cards: false, pageSize: 10, sort: { key: 'cost', descending: true }, columns: useColumns });
  #users = new Table({ caption: 'accounts.title', cards: false, pageSize: 10, columns: userColumns });
  #content = h('div', { class: 'stack' });

  /** What the bill names, for those who offer it as a choice. */
  onBill = () => {};

  constructor(account, signal) {
    this.#account = account;
    this.#signal = signal;
    this.#scope.element.hidden = !(account.info.child > 0);
    this.#users.element.hidden = true;
    fill(this.#content, this.#sum, this.#chart.element);
    this.element = h('section', { class: 'stack', 'aria-labelledby': 'spending-title' },
      h('div', { class: 'card stack' },
        h('div', { class: 'row between' }, worded('h3', 'spending.title', { id: 'spending-title' }), h('div', { class: 'row' }, this.#scope.element, this.#kind.element)),
        this.#fault, this.#content),
      this.#models.element, this.#users.element);
  }

  async load() {
    this.element.setAttribute('aria-busy', 'true');
    const user = this.#scope.value === 'own' ? this.#account.info.id : null;
    try {
      this.#bill = await this.#account.api.get('/x-bill', { days, user }, { signal: this.#signal });
      this.#error = null;
    } catch (error) {
      if (isAborted(error)) return;
      this.#error = error;
    }
    this.element.setAttribute('aria-busy', 'false');
    this.#render();
    if (this.#bill) this.onBill(this.#bill);
  }

  render() {
    this.#models.render();
    this.#users.render();
    this.#render();
  }

  #render() {
    fill(this.#fault, this.#error && h('div', { class: 'notice bad row between' }, explain(this.#error), retry(() => this.load())));
    this.#content.hidden = !this.#bill;
    if (!this.#bill) return;
    const { total_usage: total, data, usage_users: users } = this.#bill;
    const kind = kinds[this.#kind.value];
    const labels = daysOf(data);
    fill(this.#sum, t('spending.sum', { money: money(total.cost), count: total.requests }));
    this.#chart.setData({ labels, series: seriesOf(data, labels, kind.value), format: kind.format, whole: kind.whole });
    this.#models.setRows(sumsByModel(data), { keepPage: true });
    this.#users.element.hidden = users.length < 2;
    this.#users.setRows(users, { keepPage: true });
  }
}

export function retry(again) {
  return h('button', { class: 'button', type: 'button', on: { click: again } }, t('retry'));
}

function choice(title, options, change) {
  const id = `choice-${title}`;
  const select = h('select', { id, on: { change } }, Object.entries(options).map(([value, key]) => worded('option', key, { value })));
  return { element: h('div', { class: 'row small' }, worded('label', title, { for: id }), select), get value() { return select.value; } };
}

/**
 * The last 30 days of the server, whose days these are. This computer's clock says which day it is there only as far as that agrees with what the
 * server has: all its days are within the 30.
 */
export function daysOf(data, now = Date.now()) {
  const dates = data.map((day) => Date.parse(day.date)).sort((a, b) => a - b);
  let last = Math.floor((now - new Date(now).getTimezoneOffset() * 60_000) / dayLength) * dayLength;
  if (dates.length) last = Math.min(Math.max(last, dates.at(-1)), dates[0] + (days - 1) * dayLength);
  return Array.from({ length: days }, (_, index) => new Date(last - (days - 1 - index) * dayLength).toISOString().slice(0, 10));
}

function seriesOf(data, labels, value) {
  const byDate = new Map(data.map((day) => [day.date, day.usage_details]));
  const models = new Set(data.flatMap((day) => Object.keys(day.usage_details)));
  return [...models].map((name) => ({
    name,
    values: labels.map((label) => {
      const details = byDate.get(label);
      return details && Object.hasOwn(details, name) ? value(details[name]) : 0;
    }),
  }));
}

function sumsByModel(data) {
  const sums = new Map();
  let all = 0;
  for (const { usage_details: details } of data) {
    for (const [model, use] of Object.entries(details)) {
      const sum = sums.get(model) ?? { model, requests: 0, prompt: 0, cached: 0, completion: 0, cost: 0 };
      for (const figure of ['requests', 'prompt', 'cached', 'completion', 'cost']) sum[figure] += use[figure];
      sums.set(model, sum);
      all += use.cost;
    }
  }
  return [...sums.values()].map((sum) => ({ ...sum, share: all > 0 ? sum.cost / all : null }));
}

const word = (title, name) => ({ key: name, title, value: (row) => row[name], cell: (row) => foreign(row[name]) });
const figure = (title, name, format = number) => ({ key: name, title, align: 'end', value: (row) => row[name], cell: (row) => format(row[name]) });
const useColumns = [
  word('model', 'model'), figure('cost', 'cost', money), figure('models.share', 'share', percent), figure('requests', 'requests'),
  figure('input', 'prompt'), figure('models.cached', 'cached'), figure('output', 'completion'),
];

const userColumns = [word('account', 'name'), figure('cost', 'total_cost', money), figure('requests', 'total_requests'), word('email', 'email')];
