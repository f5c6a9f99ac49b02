// The price table, as the daemon charges by it.
import { h, fill, foreign } from '../shared/dom.js';
import { locale, setTexts, t } from '../shared/i18n.js';
import { number } from '../shared/format.js';
import { explain } from '../shared/api.js';
import { Table } from '../shared/table.js';
import { texts } from './texts.js';

setTexts(texts);

const shown = ['input', 'cached', 'output', 'audio_input', 'audio_output'];

/** In full: a tenth of a cent counts when it is for each of a million. */
function money(usd) {
  if (usd == null) return '–';
  const options = { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol', maximumFractionDigits: 6 };
  return new Intl.NumberFormat(locale(), { ...options, minimumFractionDigits: 2 }).format(usd);
}

/** What has no column of its own. */
function others(price) {
  const parts = [];
  for (const field of ['cache_write', 'image_input', 'image_output', 'second', 'million_characters']) {
    if (price[field] !== undefined) parts.push(`${t(`price.${field}`)} ${money(price[field])}`);
  }
  for (const [size, cost] of Object.entries(price.images ?? {})) parts.push(t('price.image', { size, cost: money(cost) }));
  if (price.long) parts.push(t('price.long', { from: number(price.long.from), input: number(price.long.input), output: number(price.long.output) }));
  return parts;
}

const tiers = (price) => Object.entries(price.tiers ?? {}).map(([tier, factor]) => `${tier} ×${number(factor)}`).join(', ');

export class Panel {
  constructor(root, app) {
    this.app = app;
    this.rows = [];
    this.search = h('input', { id: 'price-search', type: 'search', autocomplete: 'off', spellcheck: 'false', on: { input: () => this.show() } });
    this.label = h('label', { for: 'price-search' });
    this.about = h('p', { class: 'muted' });
    this.fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
    this.table = new Table({
      caption: 'price.caption', empty: 'price.none', pageSize: 30, sort: { key: 'model', descending: false },
      columns: [
        { key: 'model', title: 'spend.model', value: (row) => row.model, cell: (row) => (row.isFallback ? h('em', {}, t('price.fallback')) : foreign(row.model)) },
        ...shown.map((field) => ({ key: field, title: `price.${field}`, align: 'end', value: (row) => row.price[field], cell: (row) => money(row.price[field]) })),
        { key: 'others', title: 'price.others', sort: false, cell: (row) => others(row.price).map((words) => h('div', {}, words)) },
        { key: 'tiers', title: 'price.tiers', sort: false, cell: (row) => tiers(row.price) },
      ],
    });
    fill(root, h('div', { class: 'field search' }, this.label, this.search), this.about, this.fault, this.table.element);
    this.name();
  }

  name() {
    this.label.textContent = t('price.search');
    this.about.textContent = t('price.about');
    this.table.render();
  }

  async open() {
    try {
      const { models, fallback } = await this.app.api.get('/x-prices');
      this.rows = Object.entries(models).map(([model, price]) => ({ model, price }));
      if (fallback) this.rows.push({ model: '', price: fallback, isFallback: true });
      this.fault.hidden = true;
    } catch (error) {
      this.fault.textContent = explain(error);
      this.fault.hidden = false;
    }
    this.show();
  }

  show() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.table.setRows(this.rows.filter((row) => words.every((word) => (row.isFallback ? t('price.fallback') : row.model).toLowerCase().includes(word))));
  }
}
