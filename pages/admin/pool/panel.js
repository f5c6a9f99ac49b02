// The pool of upstream keys: found, watched, and acted on, one or many at a time.
import { h, fill, foreign } from '../shared/dom.js';
import { setTexts, t } from '../shared/i18n.js';
import { number } from '../shared/format.js';
import { explain } from '../shared/api.js';
import { confirmDialog } from '../shared/dialog.js';
import { toast } from '../shared/toast.js';
import { KeyStore, matching, sorted } from './store.js';
import { KeyTable, nameOf } from './table.js';
import { keyFields } from '../keys/fields.js';
import { sentences } from '../keys/words.js';
import { Poller } from '../poller.js';
import { runAll } from './bulk.js';
import { texts } from './texts.js';

setTexts(texts);

const states = ['active', 'cooling', 'excluded', 'resting', 'exhausted', 'dead', 'disabled'];
const probeLimit = 60_000; // asking upstream twice, 15 s each, and room for a slow line

export class Panel {
  constructor(root, app) {
    this.app = app;
    this.store = new KeyStore(app);
    this.filter = { state: '', provider: '', level: '', words: '' };
    this.table = new KeyTable({ onAction: (name, key) => this.act(name, [key]), onSelect: () => this.showBulk(), onSort: () => this.show() });
    this.poller = new Poller({
      ask: (signal) => this.store.read(signal),
      every: () => this.store.pause(),
      onAnswer: (keys) => { this.store.take(keys); app.answered(); this.show(); },
      onFailure: (error) => app.failed(error),
    });
    const choose = (field, words) => h('select', { id: `pool-${field}`, on: { change: (event) => this.choose(field, event.target.value) } }, words);
    this.inputs = {
      words: h('input', { id: 'pool-words', type: 'search', autocomplete: 'off', spellcheck: 'false', on: { input: (event) => this.choose('words', event.target.value) } }),
      state: choose('state'), level: choose('level'), provider: choose('provider'),
    };
    this.labels = Object.entries(this.inputs).map(([field, input]) => h('label', { for: input.id, dataset: { t: `pool.filter.${field}` } }));
    this.count = h('p', { class: 'muted', role: 'status' });
    this.bulk = h('div', { class: 'bulk row', role: 'group' });
    this.progress = h('div', { class: 'bulk-progress', role: 'status' });
    fill(root, h('div', { class: 'filters' }, Object.values(this.inputs).map((input, i) => h('div', { class: 'field' }, this.labels[i], input))),
      this.count, this.bulk, this.progress, this.table.element);
    this.name();
  }

  name() {
    this.labels.forEach((label) => { label.textContent = t(label.dataset.t); });
    this.choices = '';
    this.table.name();
    this.show();
  }

  open(state) {
    if (states.includes(state)) {
      this.filter = { state, provider: '', level: '', words: '' };
      this.inputs.words.value = '';
      this.table.page = 0;
      this.show();
    }
    this.poller.start();
  }

  close() {
    this.poller.stop();
  }

  choose(field, value) {
    this.filter[field] = value;
    this.table.page = 0;
    this.show();
  }

  show() {
    const all = this.store.all();
    this.showChoices();
    this.found = sorted(matching(all, this.filter), this.table.order);
    for (const id of this.table.selected) {
      if (!this.store.keys.has(id)) this.table.selected.delete(id);
    }
    this.table.setKeys(this.found, t(!this.store.isKnown ? 'loading' : all.length ? 'pool.none_found' : 'pool.none'));
    const count = !this.store.isKnown ? '' : t(this.found.length === all.length ? 'pool.count' : 'pool.count_of', { count: all.length, found: this.found.length });
    if (this.count.textContent !== count) this.count.textContent = count;
    this.showBulk();
  }

  /** The choices are what is in the pool; they are left alone while they stay the same, for one of them may be open. */
  showChoices() {
    const providers = this.store.providers();
    const levels = this.store.levels();
    const choices = JSON.stringify([providers, levels, this.filter]);
    if (choices === this.choices) return;
    this.choices = choices;
    const options = (field, values, word) => {
      const chosen = this.filter[field];
      const listed = chosen === '' || values.map(String).includes(chosen) ? values : [...values, chosen];
      fill(this.inputs[field], h('option', { value: '' }, t('pool.any')), listed.map((value) => h('option', { value }, word(value))));
      this.inputs[field].value = chosen;
    };
    options('state', states, (state) => t(`state.${state}`));
    options('provider', providers, (provider) => provider);
    options('level', levels, (level) => number(level));
  }

  showBulk() {
    const count = this.table.selected.size;
    const rest = this.found.filter((key) => !this.table.selected.has(key.ID)).length;
    const shown = `${count} ${rest} ${this.running ? 1 : 0} ${t('pool.caption')}`;
    if (shown === this.bulkShown) return;
    this.bulkShown = shown;
    this.bulk.hidden = count === 0;
    this.bulk.setAttribute('aria-label', t('pool.selected', { count }));
    const button = (key, listener, kind = '') => h('button', { type: 'button', class: `button ${kind}`, disabled: Boolean(this.running), on: { click: listener } }, key);
    const act = (name) => button(t(`action.${name}`), () => this.act(name, this.store.all().filter((key) => this.table.selected.has(key.ID))), name === 'delete' ? 'danger' : '');
    fill(this.bulk, h('strong', {}, t('pool.selected', { count })), ['probe', 'edit', 'enable', 'disable', 'delete'].map(act),
      rest > 0 && button(t('pool.select_all', { count: this.found.length }), () => this.table.select(this.found, true), 'quiet'),
      button(t('pool.select_none'), () => this.table.select(this.store.all(), false), 'quiet'));
  }

  /** What is done to each key: asked for first where it should be. */
  async act(name, keys) {
    if (name === 'edit') return this.edit(keys);
    if (name === 'delete' && !(await this.confirmDelete(keys))) return undefined;
    if (name !== 'delete' && keys.length > 1 && !(await confirmDialog({ title: t(`confirm.${name}`, { count: keys.length }), body: t(`confirm.${name}.note`), confirm: t(`action.${name}`) }))) return undefined;
    return this.run(name, keys, (key) => this.call(name, key));
  }

  async call(name, key, changes) {
    const { api } = this.app;
    const path = `/x-keys/${key.ID}`;
    if (name === 'delete') {
      await api.delete(path);
      this.store.delete(key.ID);
      return;
    }
    const answer = name === 'probe' ? await api.post(`${path}/probe`, undefined, { timeout: probeLimit })
      : (await api.put(path, changes ?? { Status: name === 'enable' })).Key;
    this.store.put(answer);
  }

  confirmDelete(keys) {
    const names = keys.slice(0, 5).map((key) => h('li', {}, foreign(nameOf(key))));
    if (keys.length > 5) names.push(h('li', {}, t('confirm.more', { count: keys.length - 5 })));
    return confirmDialog({
      title: t('confirm.delete', { count: keys.length }), danger: true, confirm: t('action.delete'),
      body: [h('ul', { class: 'names' }, names), h('p', {}, t('confirm.delete.note'))],
    });
  }

  async run(name, keys, work) {
    if (keys.length === 1) return this.runOne(name, keys[0], work);
    const stopper = new AbortController();
    const bar = h('progress', { max: keys.length, value: 0, 'aria-label': t(`action.${name}`) });
    const words = h('span', {});
    const stop = h('button', { type: 'button', class: 'button', on: { click: () => stopper.abort() } }, t('stop'));
    const tell = (done) => {
      bar.value = done;
      words.textContent = t('bulk.progress', { action: t(`action.${name}`), done, total: keys.length });
    };
    this.running = true;
    this.showBulk();
    fill(this.progress, h('div', { class: 'card stack' }, h('div', { class: 'row between' }, words, stop), bar));
    tell(0);
    const result = await runAll(keys, work, { signal: stopper.signal, onProgress: (done) => { tell(done); this.showSoon(); } });
    this.running = false;
    this.tell(name, result);
    this.show();
    return undefined;
  }

  /** The end of a run over many: how many, and what kept the others. */
  tell(name, { done, failures, left }) {
    const lines = new Map();
    failures.forEach(({ item, error }) => {
      const words = explain(error);
      lines.set(words, [...(lines.get(words) ?? []), nameOf(item)]);
    });
    fill(this.progress, h('div', { class: `notice ${failures.length ? 'bad' : 'good'}` },
      h('p', {}, t('bulk.done', { action: t(`action.${name}`), count: done }), left > 0 && ` ${t('bulk.left', { count: left })}`),
      failures.length > 0 && h('p', {}, t('bulk.failed', { count: failures.length })),
      [...lines].map(([words, names]) => h('p', {}, words, ' ', names.slice(0, 10).map((each) => [foreign(each), ' ']), names.length > 10 && '…')),
      h('button', { type: 'button', class: 'button quiet', on: { click: () => fill(this.progress) } }, t('close'))));
  }

  showSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.show(), 200);
  }

  async runOne(name, key, work) {
    this.table.setBusy(key.ID, true);
    try {
      await work(key);
      const now = this.store.keys.get(key.ID);
      const words = name === 'probe' ? sentences(now).join(' ') : t(`done.${name}`);
      toast(`${nameOf(key)}: ${words}`, name === 'probe' && now.State !== 'active' ? 'warn' : 'good');
    } catch (error) {
      toast(`${nameOf(key)}: ${explain(error)}`, 'bad');
    }
    this.table.setBusy(key.ID, false);
    this.show();
  }

  /** Stays open until the daemon takes it: what was typed is not lost to a fault. */
  async edit(keys) {
    const isOne = keys.length === 1;
    const fields = keyFields('edit', isOne ? keys[0] : {});
    const fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
    fields.element.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      event.target.form.requestSubmit(event.target.form.querySelector('[value=yes]'));
    });
    for (;;) {
      const asked = confirmDialog({
        title: isOne ? t('edit.title', { name: nameOf(keys[0]) }) : t('edit.title_many', { count: keys.length }),
        body: [!isOne && h('p', { class: 'muted' }, t('edit.many')), fault, fields.element], confirm: t('save'),
      });
      fields.element.querySelector('input').focus();
      if (!(await asked)) return;
      const changes = fields.changes();
      if (!Object.keys(changes).length) return;
      if (!isOne) {
        await this.run('edit', keys, (key) => this.call('edit', key, changes));
        return;
      }
      try {
        await this.call('edit', keys[0], changes);
        toast(`${nameOf(this.store.keys.get(keys[0].ID))}: ${t('done.edit')}`, 'good');
        this.show();
        return;
      } catch (error) {
        fault.textContent = explain(error);
        fault.hidden = false;
      }
    }
  }
}
