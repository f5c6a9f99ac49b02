// A bar chart in SVG: bars stacked by series, an axis, a legend, and the same figures as a table.
import { fill, h, svg } from './dom.js';
import { t } from './i18n.js';

const height = 220;
const margin = { top: 8, right: 8, bottom: 24, left: 56 };
const mostSeries = 7;

export class BarChart {
  #options;
  #data = { labels: [], series: [] };
  #canvas = h('div', { class: 'chart-canvas' });
  #legend = h('ul', { class: 'legend' });
  #caption = h('figcaption', { class: 'visually-hidden' });
  #table = h('div', { class: 'table-box', tabindex: '0', role: 'region' });
  #summary = h('summary');

  /** caption: a text's key. format(value), label(label), axis(label): how figures and the labels below the bars are written. */
  constructor({ caption, format = String, label = String, axis = label }) {
    this.#options = { caption, format, label, axis };
    this.element = h('figure', { class: 'chart' }, this.#caption, this.#canvas, this.#legend,
      h('details', {}, this.#summary, this.#table));
    new ResizeObserver(() => this.#draw()).observe(this.#canvas);
  }

  /** labels: one for each bar; series: [{name, values}], each as long as labels. */
  setData({ labels, series, ...options }) {
    Object.assign(this.#options, options);
    this.#data = { labels, series: gather(series) };
    this.render();
  }

  render() {
    const { labels, series } = this.#data;
    const { caption, format, label } = this.#options;
    fill(this.#caption, t(caption));
    fill(this.#summary, t('chart.table'));
    this.#table.setAttribute('aria-label', t(caption));
    fill(this.#legend, series.map((each, index) => h('li', {},
      h('span', { class: `swatch series-${index}`, 'aria-hidden': 'true' }), nameOf(each), h('span', { class: 'muted number' }, format(sum(each.values))))));
    fill(this.#table, h('table', {}, h('caption', { class: 'visually-hidden' }, t(caption)),
      h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('day')), series.map((each) => h('th', { scope: 'col', class: 'number' }, nameOf(each))))),
      h('tbody', {}, labels.map((each, index) => h('tr', {}, h('th', { scope: 'row' }, label(each)),
        series.map((one) => h('td', { class: 'number' }, format(one.values[index]))))))));
    this.#draw();
  }

  #draw() {
    const { labels, series } = this.#data;
    const width = Math.floor(this.#canvas.clientWidth);
    if (width < 100) return;
    const totals = labels.map((_, index) => sum(series.map((each) => each.values[index])));
    const most = Math.max(...totals, 0);
    if (!most) {
      fill(this.#canvas, h('p', { class: 'empty' }, t('chart.empty')));
      return;
    }
    const top = niceTop(most);
    const inner = { width: width - margin.left - margin.right, height: height - margin.top - margin.bottom };
    const y = (value) => margin.top + inner.height * (1 - value / top);
    const step = inner.width / labels.length;
    fill(this.#canvas, svg('svg', {
      viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': t(this.#options.caption),
    }, this.#axis(top, width, y), this.#bars(step, y, totals), this.#marks(step)));
  }

  #axis(top, width, y) {
    return [0, 0.25, 0.5, 0.75, 1].map((part) => svg('g', { class: 'grid' },
      svg('line', { x1: margin.left, x2: width - margin.right, y1: y(top * part), y2: y(top * part) }),
      svg('text', { x: margin.left - 8, y: y(top * part) + 4, 'text-anchor': 'end' }, this.#options.format(top * part))));
  }

  #bars(step, y, totals) {
    const { labels, series } = this.#data;
    const { format, label } = this.#options;
    const gap = Math.min(4, step * 0.25);
    return labels.map((each, index) => {
      let base = 0;
      const parts = series.map((one, number) => {
        const value = one.values[index] || 0;
        const rect = value && svg('rect', {
          class: `series-${number}`, x: margin.left + index * step + gap / 2, width: Math.max(1, step - gap),
          y: y(base + value), height: Math.max(0.5, y(base) - y(base + value)),
        });
        base += value;
        return rect || null;
      });
      const said = [`${label(each)}: ${format(totals[index])}`,
        ...series.filter((one) => one.values[index]).map((one) => `${one.name ?? t('others')}: ${format(one.values[index])}`)];
      return svg('g', { class: 'bar' }, svg('title', {}, said.join('\n')), svg('rect', {
        class: 'touch', x: margin.left + index * step, width: step, y: margin.top, height: height - margin.top - margin.bottom,
      }), parts);
    });
  }

  #marks(step) {
    const { labels } = this.#data;
    const every = Math.max(1, Math.ceil(48 / step));
    // Counted from the end: the last one, today, always has its label.
    return labels.map((each, index) => ((labels.length - 1 - index) % every ? null : svg('text', {
      class: 'mark', x: margin.left + (index + 0.5) * step, y: height - 6, 'text-anchor': 'middle',
    }, this.#options.axis(each))));
  }
}

const sum = (values) => values.reduce((total, value) => total + (value || 0), 0);
const nameOf = (series) => h('bdi', {}, series.name ?? t('others'));

/** The greatest series first; beyond the colours there are, the rest is one, without a name. */
function gather(series) {
  const ordered = [...series].sort((a, b) => sum(b.values) - sum(a.values));
  if (ordered.length <= mostSeries) return ordered;
  const rest = ordered.slice(mostSeries - 1);
  return [...ordered.slice(0, mostSeries - 1), { name: null, values: rest[0].values.map((_, index) => sum(rest.map((each) => each.values[index]))) }];
}

/** The next of 1, 2, 4, 8 × 10ⁿ, which a quarter of is a plain number. */
function niceTop(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 8, 10].find((each) => each * power >= most * 0.999) * power;
}
