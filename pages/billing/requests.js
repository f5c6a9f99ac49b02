// The requests of an account: filter, table, paging, export.
import { explain, isAborted } from './shared/api.js';
import { fill, foreign, h, worded } from './shared/dom.js';
import { dateTime, duration, money, number } from './shared/format.js';
import { t } from './shared/i18n.js';
import { Table } from './shared/table.js';
import { Export } from './export.js';
import { RequestReader } from './request-reader.js';
import { retry } from './spending.js';

const pageSize = 25;
let lists = 0;

export class Requests {
  #account;
  #signal;
  #reader;
  #filter = {};
  #pages = [];
  #page = 0;
  #error = null;
  #running = null;
  #fields;
  #form;
  #table;
  #export;
  #fault = h('div', { role: 'status' });
  #previous = worded('button', 'previous', { class: 'button', type: 'button', on: { click: () => this.#go(this.#page - 1) } });
  #next = worded('button', 'next', { class: 'button', type: 'button', on: { click: () => this.#go(this.#page + 1) } });
  #where = h('span', { class: 'muted number', role: 'status' });

  constructor(account, signal) {
    this.#account = account;
    this.#signal = signal;
    this.#fields = {
      model: suggesting(), user: suggesting(),
      start: h('input', { type: 'date', on: { change: ({ target }) => { this.#fields.end.min = target.value; } } }), end: h('input', { type: 'date' }),
      status: h('select', {}, [['', 'any'], ['ok', 'ok'], ['client', 'client'], ['server', 'server']].map(([value, key]) => worded('option', `requests.${key}`, { value }))),
    };
    this.#form = this.#makeForm();
    this.#table = new Table({ caption: 'requests.title', hideCaption: true, empty: 'requests.empty', pageSize, columns: columnsFor(account.info) });
    this.#export = new Export(() => ({ account: this.#account, filter: this.#filter }), signal);
    this.element = h('section', { class: 'card stack', 'aria-labelledby': 'requests-title' },
      h('div', { class: 'row between' }, worded('h3', 'requests.title', { id: 'requests-title' }), this.#export.element),
      this.#form, this.#fault, this.#table.element, h('div', { class: 'pager' }, this.#previous, this.#where, this.#next));
    this.#begin();
  }

  /** Offers the models and accounts that a bill names. */
  suggest({ data, usage_users: users }) {
    const models = new Set(data.flatMap((day) => Object.keys(day.usage_details)));
    this.#fields.model.offer([...models].sort());
    this.#fields.user.offer(users.map((each) => each.name));
  }

  load() {
    return this.#go(0);
  }

  /** From the newest on, with the filter as it is. */
  reload() {
    this.#begin();
    return this.load();
  }

  render() {
    this.#table.render();
    this.#export.render();
    this.#render();
  }

  #makeForm() {
    const field = (key, control, more) => {
      control.id = `filter-${key}`;
      return h('div', { class: 'field' }, worded('label', key, { for: control.id }), control, more);
    };
    const { model, user, start, end, status } = this.#fields;
    return h('form', { class: 'filter', 'data-t-label': 'requests.filter', 'aria-label': t('requests.filter'), on: { submit: (event) => this.#apply(event), reset: () => this.#reset() } },
      field('model', model.element, model.list), this.#account.info.child > 0 && field('account', user.element, user.list),
      field('requests.from', start), field('requests.to', end), field('requests.status', status),
      h('div', { class: 'row' }, worded('button', 'requests.apply', { class: 'button primary' }), worded('button', 'requests.reset', { class: 'button', type: 'reset' })));
  }

  #apply(event) {
    event.preventDefault();
    const { model, user, start, end, status } = this.#fields;
    this.#filter = { model: model.value, user: user.value, start: start.value, end: end.value, status: status.value };
    this.reload();
  }

  #reset() {
    this.#fields.end.min = '';
    this.#filter = {};
    this.reload();
  }

  #begin() {
    this.#running?.abort();
    this.#reader = new RequestReader(this.#account.api, this.#filter);
    this.#pages = [];
    this.#page = 0;
  }

  /** Pages that were read are kept: going back asks nobody. */
  #go(page) {
    this.#error = null;
    if (page < this.#pages.length) {
      this.#page = page;
      return this.#render();
    }
    return this.#ask(async (signal) => {
      this.#pages.push(await this.#reader.next(pageSize, signal));
      this.#page = this.#pages.length - 1;
    });
  }

  /** Goes on looking for rows of the page shown, which the bound left short. */
  #lookOn() {
    return this.#ask(async (signal) => {
      const rows = this.#pages.at(-1);
      rows.push(...await this.#reader.next(pageSize - rows.length, signal));
    });
  }

  async #ask(work) {
    this.#running?.abort();
    this.#running = new AbortController();
    this.#error = null;
    this.#setBusy(true);
    try {
      await work(AbortSignal.any([this.#signal, this.#running.signal]));
    } catch (error) {
      if (isAborted(error)) return;
      this.#error = error;
    }
    this.#setBusy(false);
    this.#render();
  }

  #setBusy(isBusy) {
    this.element.setAttribute('aria-busy', String(isBusy));
    if (!isBusy) return;
    this.#next.disabled = true;
    fill(this.#where, t('loading'));
  }

  #render() {
    const rows = this.#pages[this.#page] ?? [];
    const isLast = this.#page >= this.#pages.length - 1;
    const isShort = isLast && this.#pages.length > 0 && rows.length < pageSize && this.#reader.hasMore;
    fill(this.#fault,
      this.#error && h('div', { class: 'notice bad row between' }, explain(this.#error), retry(() => this.#go(this.#pages.length))),
      isShort && !this.#error && h('div', { class: 'notice row between' }, t('requests.looked', { count: this.#reader.looked }),
        h('button', { class: 'button', type: 'button', on: { click: () => this.#lookOn() } }, t('requests.lookOn'))));
    this.#table.setRows(rows);
    this.#previous.disabled = this.#page === 0;
    this.#next.disabled = isShort || (isLast && !this.#reader.hasMore);
    fill(this.#where, t('requests.page', { page: this.#page + 1 }));
  }
}

/** A field for any text that offers what is likely. */
function suggesting() {
  const id = `list-${++lists}`;
  const list = h('datalist', { id });
  const input = h('input', { list: id, maxlength: 200, autocomplete: 'off', dataset: { tPlaceholder: 'requests.any' }, placeholder: t('requests.any') });
  return {
    element: input, list,
    offer: (values) => fill(list, values.slice(0, 200).map((value) => h('option', { value }))),
    get value() { return input.value.trim(); },
  };
}

function columnsFor(info) {
  const figure = (title, value, more) => ({ key: title, title, align: 'end', cell: (row) => [value(row), note(more?.(row))] });
  return [
    { key: 'time', title: 'requests.time', cell: (row) => h('time', { datetime: row.time, title: row.time }, dateTime(row.time)) },
    info.child > 0 && { key: 'account', title: 'account', cell: (row) => foreign(row.user) },
    { key: 'model', title: 'model', cell: (row) => [foreign(row.model), h('code', { class: 'muted note', title: row.request_id }, row.path)] },
    { key: 'status', title: 'requests.status', cell: status },
    figure('input', (row) => number(row.prompt_tokens), (row) => row.cached_tokens > 0 && t('requests.cached', { count: row.cached_tokens })),
    figure('output', (row) => number(row.completion_tokens)),
    figure('cost', (row) => money(row.cost), (row) => row.estimated && t('requests.estimated')),
    figure('requests.duration', (row) => duration(row.duration_ms), (row) => row.stream && t('requests.firstByte', { time: duration(row.first_byte_ms) })),
  ].filter(Boolean);
}

function status(row) {
  const kind = row.status >= 500 ? 'bad' : row.status >= 400 ? 'warn' : 'good';
  return [h('span', { class: `badge ${kind}` }, String(row.status)), note(row.attempts > 1 && t('requests.attempts', { count: row.attempts }))];
}

const note = (text) => text && h('span', { class: 'muted note' }, text);
