// A bar chart in SVG: bars stacked by series, an axis, a legend, and the same figures as a table.
import { fill, h, svg } from './dom.js';
import { t } from './i18n.js';

const height = 220;
const edge = { top: 8, right: 20, bottom: 24 };
const mostSeries = 7;

export class BarChart {
  #options;
  #data = { labels: [], series: [] };
  #canvas = h('div', { class: 'chart-canvas' });
  #legend = h('ul', { class: 'legend' });
  #caption = h('figcaption', { class: 'visually-hidden' });
  #table = h('div', { class: 'table-box', tabindex: '0', role: 'group' });
  #summary = h('summary');

  /**
   * caption: a text's key. format(value), label(label), axis(label): how figures and the labels below the bars are written.
   * whole: figures are counts.
   */
  constructor({ caption, format = String, label = String, axis = label, whole = false }) {
    this.#options = { caption, format, label, axis, whole };
    this.element = h('figure', { class: 'chart' }, this.#caption, this.#canvas, this.#legend,
      h('details', {}, this.#summary, this.#table));
    this.render();
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
    const ticks = ticksTo(most, this.#options.whole);
    const inner = height - edge.top - edge.bottom;
    const left = 16 + 7 * Math.max(...ticks.map((tick) => this.#options.format(tick).length));
    const y = (value) => edge.top + inner * (1 - value / ticks.at(-1));
    const step = (width - left - edge.right) / labels.length;
    fill(this.#canvas, svg('svg', {
      viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': t(this.#options.caption),
    }, this.#axis(ticks, left, width, y), this.#bars(left, step, y, totals), this.#marks(left, step)));
  }

  #axis(ticks, left, width, y) {
    return ticks.map((tick) => svg('g', {},
      svg('line', { x1: left, x2: width - edge.right, y1: y(tick), y2: y(tick) }),
      svg('text', { x: left - 8, y: y(tick) + 4, 'text-anchor': 'end' }, this.#options.format(tick))));
  }

  #bars(left, step, y, totals) {
    const { labels, series } = this.#data;
    const { format, label } = this.#options;
    const gap = Math.min(4, step * 0.25);
    return labels.map((each, index) => {
      let base = 0;
      const parts = series.map((one, number) => {
        const value = one.values[index] || 0;
        const rect = value && svg('rect', {
          class: `series-${number}`, x: left + index * step + gap / 2, width: Math.max(1, step - gap),
          y: y(base + value), height: Math.max(0.5, y(base) - y(base + value)),
        });
        base += value;
        return rect || null;
      });
      const said = [`${label(each)}: ${format(totals[index])}`,
        ...series.filter((one) => one.values[index]).map((one) => `${one.name ?? t('others')}: ${format(one.values[index])}`)];
      return svg('g', { class: 'bar' }, svg('title', {}, said.join('\n')), svg('rect', {
        class: 'touch', x: left + index * step, width: step, y: edge.top, height: height - edge.top - edge.bottom,
      }), parts);
    });
  }

  #marks(left, step) {
    const { labels } = this.#data;
    const every = Math.max(1, Math.ceil(48 / step));
    // Counted from the end: the last one, today, always has its label.
    return labels.map((each, index) => ((labels.length - 1 - index) % every ? null : svg('text', {
      x: left + (index + 0.5) * step, y: height - 6, 'text-anchor': 'middle',
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

/** From 0 to at least `most`, in at most four steps of a plain number. */
function ticksTo(most, isWhole) {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  let step = [1, 2, 2.5, 5, 10].find((each) => each * power * 4 >= most * 0.999) * power;
  if (isWhole) step = Math.ceil(step);
  const count = Math.ceil(most / step - 0.001);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}
