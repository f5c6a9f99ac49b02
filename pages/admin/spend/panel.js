// What was spent, by day, model and account.
import { h, fill, foreign } from '../shared/dom.js';
import { setTexts, t } from '../shared/i18n.js';
import { date, money, number, percent, shortDate } from '../shared/format.js';
import { BarChart } from '../shared/chart.js';
import { Table } from '../shared/table.js';
import { Poller } from '../poller.js';
import { texts } from './texts.js';

setTexts(texts);

const spans = [1, 7, 30];
const every = 60_000;

/** Sums over the days, one row a model. */
function modelsOf(bill) {
  const models = new Map();
  for (const day of bill.data) {
    for (const [model, usage] of Object.entries(day.usage_details)) {
      const row = models.get(model) ?? { model, requests: 0, prompt: 0, cached: 0, completion: 0, cost: 0 };
      for (const field of ['requests', 'prompt', 'cached', 'completion', 'cost']) row[field] += usage[field] ?? 0;
      models.set(model, row);
    }
  }
  return [...models.values()];
}

/** The days up to the last one that has something, without gaps. */
function daysOf(bill, count) {
  const last = bill.data.length ? Date.parse(bill.data.at(-1).date) : Date.now();
  return Array.from({ length: count }, (_, i) => new Date(last - (count - 1 - i) * 86_400_000).toISOString().slice(0, 10));
}

const figure = (key, value = (row) => row[key]) => ({ key, title: `spend.${key}`, align: 'end', value, cell: (row) => number(value(row)) });

export class Panel {
  constructor(root, app) {
    this.days = 7;
    this.user = null;
    const share = (row) => percent(this.bill.total_usage.cost > 0 ? row / this.bill.total_usage.cost : null);
    this.chart = new BarChart({ caption: 'spend.chart', format: money, label: date, axis: shortDate });
    this.models = new Table({
      caption: 'spend.models', sort: { key: 'cost', descending: true }, empty: 'spend.none',
      columns: [
        { key: 'model', title: 'spend.model', value: (row) => row.model, cell: (row) => foreign(row.model || t('spend.no_model')) },
        figure('requests'), figure('prompt'), figure('cached'), figure('completion'),
        { key: 'cost', title: 'spend.cost', align: 'end', value: (row) => row.cost, cell: (row) => money(row.cost) },
        { key: 'share', title: 'spend.share', align: 'end', sort: false, cell: (row) => share(row.cost) },
      ],
    });
    this.accounts = new Table({
      caption: 'spend.accounts', sort: { key: 'cost', descending: true }, pageSize: 25, empty: 'spend.none',
      columns: [
        { key: 'name', title: 'spend.account', value: (row) => row.name, cell: (row) => this.accountLink(row) },
        { key: 'email', title: 'spend.email', value: (row) => row.email, cell: (row) => foreign(row.email) },
        figure('requests', (row) => row.total_requests),
        { key: 'cost', title: 'spend.cost', align: 'end', value: (row) => row.total_cost, cell: (row) => money(row.total_cost) },
        { key: 'share', title: 'spend.share', align: 'end', sort: false, cell: (row) => share(row.total_cost) },
      ],
    });
    this.choice = h('div', { class: 'row', role: 'group' });
    this.total = h('p', { class: 'figure' }, '–');
    this.about = h('p', { class: 'muted' });
    this.poller = new Poller({
      ask: (signal) => app.api.get('/x-bill', { days: this.days, user: this.user?.id }, { signal }),
      every: () => every,
      onAnswer: (bill) => { this.bill = bill; this.isOld = false; app.answered(); this.show(); },
      onFailure: (error) => app.failed(error),
    });
    fill(root, this.choice, h('section', { class: 'card stack' }, this.total, this.about, this.chart.element), this.models.element, this.accounts.element);
    this.name();
  }

  name() {
    this.choice.setAttribute('aria-label', t('spend.span'));
    fill(this.choice, spans.map((days) => h('button', {
      type: 'button', class: `button${days === this.days ? ' primary' : ''}`, 'aria-pressed': days === this.days, on: { click: () => this.choose(days, this.user) },
    }, t('spend.days', { count: days }))),
    this.user && h('button', { type: 'button', class: 'button quiet', on: { click: () => this.choose(this.days, null) } }, t('spend.everybody')));
    this.models.render();
    this.accounts.render();
    this.show();
  }

  open() {
    this.poller.start();
  }

  close() {
    this.poller.stop();
  }

  choose(days, user) {
    this.days = days;
    this.user = user;
    this.isOld = true;
    this.name();
    this.choice.querySelector('[aria-pressed=true]').focus();
    this.poller.now();
  }

  accountLink(row) {
    return h('button', { type: 'button', class: 'button quiet link', title: t('spend.only'), on: { click: () => this.choose(this.days, row) } }, foreign(row.name));
  }

  show() {
    const { bill } = this;
    this.total.textContent = bill ? money(bill.total_usage.cost) : '–';
    const values = { count: this.days, requests: number(bill?.total_usage.requests), name: this.user?.name };
    // What is shown stays until what was chosen is here.
    this.about.textContent = bill && !this.isOld ? t(this.user ? 'spend.about_one' : 'spend.about', values) : t('loading');
    if (!bill || this.isOld) return;
    const days = daysOf(bill, this.days);
    const models = modelsOf(bill);
    const byDay = new Map(bill.data.map((day) => [day.date, day.usage_details]));
    this.chart.setData({ labels: days, series: models.filter((row) => row.cost > 0).map(({ model }) => ({ name: model || t('spend.no_model'), values: days.map((day) => byDay.get(day)?.[model]?.cost ?? 0) })) });
    this.models.setRows(models, { keepPage: true });
    this.accounts.setRows(bill.usage_users, { keepPage: true });
  }
}
