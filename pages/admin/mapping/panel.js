// Which models are served by others: MODEL_MAPPER as rows. The first pattern that matches counts, so their order is kept.
import { h, fill } from '../shared/dom.js';
import { setTexts, t } from '../shared/i18n.js';
import { explain } from '../shared/api.js';
import { texts } from './texts.js';

setTexts(texts);

/** `pattern=name,…` as the daemon reads it: pairs. */
export function readMapper(text) {
  return text.split(',').map((entry) => entry.trim()).filter(Boolean).map((entry) => {
    const [pattern, ...name] = entry.split('=');
    return { pattern: pattern.trim(), name: name.join('=').trim() };
  });
}

export class Panel {
  constructor(root, app) {
    this.app = app;
    this.list = h('ol', { class: 'mapping' });
    this.status = h('p', { class: 'status', role: 'status' });
    this.form = h('form', { class: 'card stack', on: { submit: (event) => { event.preventDefault(); this.save(); }, input: () => { this.isChanged = true; } } });
    fill(root, this.form);
    this.rows = [];
    this.draw();
  }

  name() {
    this.keep();
    this.draw();
  }

  async open() {
    // What is being edited is not replaced by what is in force.
    if (this.isChanged) return;
    this.form.setAttribute('aria-busy', 'true');
    try {
      this.take(await this.app.api.get('/x-config'));
    } catch (error) {
      this.say(explain(error), true);
    }
    this.form.removeAttribute('aria-busy');
  }

  take(config) {
    this.rows = readMapper(config.ModelMapper ?? '');
    this.isChanged = false;
    this.draw();
  }

  draw() {
    fill(this.list, this.rows.map((row, place) => this.makeRow(row, place)));
    fill(this.form, h('p', {}, t('mapping.about')), h('p', { class: 'muted' }, t('mapping.order')),
      this.list, this.rows.length ? null : h('p', { class: 'empty' }, t('mapping.none')),
      h('div', { class: 'row' },
        h('button', { type: 'button', class: 'button', on: { click: () => this.add() } }, t('mapping.add')),
        h('button', { type: 'submit', class: 'button primary' }, t('mapping.save')),
        h('button', { type: 'button', class: 'button quiet', on: { click: () => this.reset() } }, t('mapping.reset'))),
      this.status);
  }

  makeRow(row, place) {
    const input = (field) => h('input', {
      type: 'text', value: row[field], 'aria-label': t(`mapping.${field}`, { n: place + 1 }), placeholder: t(`mapping.${field}.example`),
      autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', class: field, required: true,
    });
    const button = (key, step, disabled) => h('button', {
      type: 'button', class: 'button quiet', disabled, 'aria-label': t(`mapping.${key}`, { n: place + 1 }), title: t(`mapping.${key}`, { n: place + 1 }),
      on: { click: () => this.move(place, step) },
    }, { up: '↑', down: '↓', remove: '×' }[key]);
    return h('li', {}, input('pattern'), h('span', { 'aria-hidden': 'true' }, '→'), input('name'),
      button('up', -1, place === 0), button('down', 1, place === this.rows.length - 1), button('remove', 0, false));
  }

  /** Takes over what stands in the inputs. */
  keep() {
    this.rows = [...this.list.children].map((item) => ({ pattern: item.querySelector('.pattern').value.trim(), name: item.querySelector('.name').value.trim() }));
  }

  add() {
    this.keep();
    this.rows.push({ pattern: '', name: '' });
    this.isChanged = true;
    this.draw();
    this.list.lastChild.querySelector('input').focus();
  }

  move(place, step) {
    this.keep();
    const [row] = this.rows.splice(place, 1);
    if (step) this.rows.splice(place + step, 0, row);
    this.isChanged = true;
    this.draw();
    const target = this.list.children[step ? place + step : Math.min(place, this.rows.length - 1)];
    const buttons = target ? [...target.querySelectorAll('button:not(:disabled)')] : [];
    (buttons[step > 0 ? buttons.length - 2 : 0] ?? this.form.querySelector('.row button')).focus();
  }

  /** A comma parts entries, so inside one it would change what the others mean. */
  faultOf(row) {
    if (row.pattern.includes(',') || row.name.includes(',')) return t('mapping.comma');
    return row.pattern.includes('=') ? t('mapping.equals') : '';
  }

  async save() {
    this.keep();
    const place = this.rows.findIndex((row) => this.faultOf(row));
    if (place >= 0) {
      this.mark(place, this.faultOf(this.rows[place]));
      return;
    }
    await this.put(this.rows.map((row) => `${row.pattern}=${row.name}`).join(','), t('mapping.saved'));
  }

  reset() {
    return this.put(null, t('mapping.was_reset'));
  }

  async put(value, done) {
    this.say(t('mapping.saving'));
    try {
      this.take((await this.app.api.put('/x-config', { ModelMapper: value })).Config);
      this.say(done);
    } catch (error) {
      const entry = /entry (\d+)/.exec(error.message ?? '');
      if (error.param === 'ModelMapper' && entry) this.mark(Number(entry[1]) - 1, t('mapping.refused', { n: entry[1], message: error.serverMessage }));
      else this.say(explain(error), true);
    }
  }

  /** Names what is wrong with one row, and goes there. */
  mark(place, words) {
    this.say(words, true);
    this.status.id = 'mapping-status';
    const inputs = this.list.children[place]?.querySelectorAll('input') ?? [];
    inputs.forEach((input) => {
      input.setAttribute('aria-invalid', 'true');
      input.setAttribute('aria-describedby', 'mapping-status');
    });
    inputs[0]?.focus();
  }

  say(words, isBad = false) {
    this.status.textContent = words;
    this.status.classList.toggle('bad', isBad);
    this.list.querySelectorAll('[aria-invalid]').forEach((input) => input.removeAttribute('aria-invalid'));
  }
}
