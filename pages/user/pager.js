// Never more rows in the document than a page has, however many there are.
import { fill, h } from './shared/dom.js';
import { t } from './shared/i18n.js';

const pageSize = 50;

export class Pager {
  /** `body`: the <tbody>; `place`: the <nav> below; `rowOf(line)`: its <tr>. */
  constructor(body, place, rowOf) {
    Object.assign(this, { body, place, rowOf, lines: [], page: 0 });
  }

  setLines(lines, { keepPage = false } = {}) {
    this.lines = lines;
    if (!keepPage) this.page = 0;
    this.render();
  }

  render() {
    const total = this.lines.length;
    const last = Math.max(0, Math.ceil(total / pageSize) - 1);
    this.page = Math.min(this.page, last);
    const from = this.page * pageSize;
    const shown = this.lines.slice(from, from + pageSize);
    fill(this.body, shown.map(this.rowOf));
    this.place.hidden = last === 0;
    const button = (text, page) => h('button', {
      class: 'button', type: 'button', disabled: page < 0 || page > last, dataset: { text }, on: { click: () => this.go(page, text) },
    }, t(text));
    fill(this.place, button('previous', this.page - 1),
      h('span', { class: 'muted number', role: 'status' }, t('table.range', { from: from + 1, to: from + shown.length, total })),
      button('next', this.page + 1));
  }

  /** The button that was pressed is a new one now, and keeps the focus. */
  go(page, text) {
    this.page = page;
    this.render();
    const pressed = this.place.querySelector(`[data-text=${text}]`);
    (pressed.disabled ? this.place.querySelector('button:enabled') : pressed).focus();
  }
}

/** A cell that on phones stands beside the name of its column. */
export function cell(column, label, isNumber, ...content) {
  return h('td', { role: 'cell', class: isNumber ? 'number' : null, dataset: { label, column } }, h('div', {}, content));
}
