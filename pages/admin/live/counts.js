// A small table of counters: the last minute beside all since the start. Rows stay where they are while figures change.
import { h, fill } from '../shared/dom.js';
import { t } from '../shared/i18n.js';
import { number } from '../shared/format.js';
import { reasonWords } from '../keys/words.js';

export class CountTable {
  constructor() {
    this.title = h('h3', {});
    this.head = h('tr', {});
    this.body = h('tbody', {});
    this.caption = h('caption', { class: 'visually-hidden' });
    this.empty = h('p', { class: 'muted' });
    this.box = h('div', { class: 'table-box' }, h('table', { class: 'counts' }, this.caption, h('thead', {}, this.head), this.body));
    this.element = h('section', { class: 'card' }, this.title, this.box, this.empty);
    this.rows = new Map();
  }

  name(title, none, kind) {
    this.title.textContent = title;
    this.caption.textContent = title;
    this.empty.textContent = none;
    this.wordOf = kind === 'endpoints' ? (name) => (name === 'other' ? t('table.other') : name) : reasonWords;
    fill(this.head, h('th', { scope: 'col' }, t(`table.${kind}.head`)),
      h('th', { scope: 'col', class: 'number' }, t('table.minute')), h('th', { scope: 'col', class: 'number' }, t('table.start')));
    this.rows.clear();
    fill(this.body);
  }

  show(last = {}, all = {}) {
    const names = Object.keys(all).filter((name) => all[name] > 0).sort((a, b) => all[b] - all[a] || a.localeCompare(b));
    this.box.hidden = names.length === 0;
    this.empty.hidden = names.length > 0;
    names.forEach((name, place) => {
      if (!this.rows.has(name)) this.rows.set(name, this.makeRow(name));
      const row = this.rows.get(name);
      row.last.textContent = number(last[name] ?? 0);
      row.all.textContent = number(all[name]);
      if (this.body.children[place] !== row.element) this.body.insertBefore(row.element, this.body.children[place] ?? null);
    });
    while (this.body.children.length > names.length) this.body.lastChild.remove();
  }

  makeRow(name) {
    const last = h('td', { class: 'number' });
    const all = h('td', { class: 'number' });
    return { last, all, element: h('tr', {}, h('th', { scope: 'row' }, h('bdi', {}, this.wordOf(name))), last, all) };
  }
}
