// Upstream keys into the pool: pasted or from files, with progress and a verdict for each, and then gone from the page.
import { h, fill } from '../shared/dom.js';
import { setTexts, t } from '../shared/i18n.js';
import { explain } from '../shared/api.js';
import { Table } from '../shared/table.js';
import { readLines } from './lines.js';
import { KeyLoader } from './loader.js';
import { keyFields } from '../keys/fields.js';
import { reasonWords } from '../keys/words.js';
import { texts } from './texts.js';

setTexts(texts);

const largestFile = 16 * 1024 * 1024;
const verdicts = ['refused', 'unusable', 'waiting', 'repeated', 'added', 'existing'];
const tones = { refused: 'bad', unusable: 'bad', waiting: '', repeated: 'warn', added: 'good', existing: '' };

const verdictOf = (entry) => entry.verdict ?? (entry.fault ? 'unusable' : entry.first ? 'repeated' : 'waiting');

/** Why, where the verdict alone does not say it. */
function whyOf(entry) {
  if (entry.fault) return t(`fault.${entry.fault}`);
  if (entry.first) return t('load.repeats', { line: entry.first });
  if (entry.words) return entry.words;
  if (entry.verdict === 'refused') return reasonWords(entry.reason);
  return '';
}

export class Panel {
  constructor(root, app) {
    this.app = app;
    this.box = h('textarea', {
      id: 'load-keys', rows: 8, class: 'mono', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false',
      'aria-describedby': 'load-hint load-found', on: { input: () => this.preview() },
    });
    this.file = h('input', { id: 'load-file', class: 'visually-hidden', type: 'file', multiple: true, accept: '.txt,.csv,text/plain', on: { change: () => this.readFiles() } });
    // Made once: what was typed stays when the language changes.
    this.common = keyFields('load');
    this.verify = h('input', { id: 'load-verify', type: 'checkbox' });
    this.found = h('p', { id: 'load-found', class: 'muted', role: 'status' });
    this.progress = h('div', { class: 'stack', role: 'status' });
    this.table = new Table({
      caption: 'load.verdicts', sort: { key: 'verdict', descending: false }, pageSize: 100,
      columns: [
        { key: 'line', title: 'load.line', value: (entry) => entry.line, align: 'end' },
        { key: 'tail', title: 'pool.key', value: (entry) => `…${entry.tail}`, cell: (entry) => h('bdi', { class: 'mono' }, `…${entry.tail}`) },
        { key: 'verdict', title: 'load.verdict', value: (entry) => verdicts.indexOf(verdictOf(entry)), cell: (entry) => h('span', { class: `badge ${tones[verdictOf(entry)]}` }, t(`verdict.${verdictOf(entry)}`)) },
        { key: 'why', title: 'load.why', value: whyOf },
      ],
    });
    this.table.element.hidden = true;
    this.form = h('form', { class: 'card stack', on: { submit: (event) => { event.preventDefault(); this.load(); } } });
    fill(root, this.form, this.progress, this.table.element);
    // A page that the browser keeps for its Back button keeps no secrets.
    window.addEventListener('pagehide', () => this.wipe());
    this.name();
  }

  name() {
    const open = this.form.querySelector('details')?.open;
    this.button = h('button', { type: 'submit', class: 'button primary', disabled: Boolean(this.loader) }, t('load.load'));
    fill(this.form,
      h('div', { class: 'field' }, h('label', { for: 'load-keys' }, t('load.keys')), this.box, h('p', { class: 'hint', id: 'load-hint' }, t('load.hint'))),
      h('div', { class: 'row' }, this.file, h('label', { for: 'load-file', class: 'button' }, t('load.file'))),
      this.found,
      h('div', { class: 'field' }, h('div', {}, this.verify, ' ', h('label', { for: 'load-verify' }, t('load.verify'))), h('p', { class: 'hint' }, t('load.verify.hint'))),
      h('details', { open: Boolean(open) }, h('summary', {}, t('load.common')), this.common.element),
      h('div', { class: 'row' }, this.button, h('button', { type: 'button', class: 'button', on: { click: () => this.wipe() } }, t('load.clear'))));
    this.table.render();
    this.preview();
    if (this.result) this.tellResult();
  }

  preview() {
    const entries = readLines(this.box.value);
    const count = (wanted) => entries.filter((entry) => verdictOf(entry) === wanted).length;
    const parts = [t('load.found', { count: count('waiting') })];
    if (count('repeated')) parts.push(t('load.found_repeated', { count: count('repeated') }));
    if (count('unusable')) parts.push(t('load.found_unusable', { count: count('unusable') }));
    this.found.textContent = entries.length ? parts.join(' ') : '';
  }

  async readFiles() {
    const files = [...this.file.files];
    this.file.value = '';
    const tooLarge = files.find((file) => file.size > largestFile);
    if (tooLarge) {
      this.say(t('load.too_large', { name: tooLarge.name }), 'bad');
      return;
    }
    const texts = await Promise.all(files.map((file) => file.text()));
    this.box.value = [this.box.value.trimEnd(), ...texts].filter(Boolean).join('\n');
    this.preview();
  }

  wipe() {
    this.box.value = '';
    this.file.value = '';
    this.preview();
  }

  say(words, kind) {
    fill(this.progress, h('p', { class: `notice ${kind}` }, words));
  }

  async load() {
    if (this.loader || !this.common.isValid()) return;
    const entries = readLines(this.box.value);
    const usable = entries.filter((entry) => verdictOf(entry) === 'waiting');
    if (!entries.length) {
      this.say(t('load.nothing'), 'bad');
      this.box.focus();
      return;
    }
    this.wipe();
    this.result = null;
    this.show(entries);
    const bar = h('progress', { max: Math.max(1, usable.length), value: 0, 'aria-label': t('load.load') });
    const words = h('span', {});
    const tell = (done) => {
      bar.value = done;
      words.textContent = t('load.progress', { done, total: usable.length });
    };
    this.loader = new KeyLoader(this.app.api, {
      verify: this.verify.checked, common: this.common.changes(),
      onProgress: (done, keys) => { tell(done); this.app.keysCame(keys); this.show(entries); },
    });
    this.button.disabled = true;
    fill(this.progress, h('div', { class: 'card stack' },
      h('div', { class: 'row between' }, words, h('button', { type: 'button', class: 'button', on: { click: () => this.loader.stop() } }, t('stop'))), bar));
    tell(0);
    const failure = await this.loader.run(usable).then(() => null, (error) => error);
    this.loader = null;
    this.button.disabled = false;
    this.finish(entries, failure);
  }

  /** Keys without a verdict go back into the box: they were not loaded, and only the user has them. */
  finish(entries, failure) {
    const left = entries.filter((entry) => verdictOf(entry) === 'waiting');
    this.box.value = [...left.map((entry) => entry.text), this.box.value].filter(Boolean).join('\n');
    entries.forEach((entry) => { entry.text = ''; });
    const judged = entries.filter((entry) => verdictOf(entry) !== 'waiting');
    this.result = { judged, left: left.length, failure };
    this.preview();
    this.show(judged);
    this.tellResult();
  }

  tellResult() {
    const { judged, left, failure } = this.result;
    const count = (wanted) => judged.filter((entry) => verdictOf(entry) === wanted).length;
    const parts = verdicts.filter(count).map((verdict) => t(`load.done.${verdict}`, { count: count(verdict) }));
    fill(this.progress, h('div', { class: `notice ${left || count('refused') || count('unusable') ? 'warn' : 'good'}` },
      parts.length > 0 && h('p', {}, parts.join(' ')),
      h('p', {}, left ? t('load.left', { count: left, why: failure && failure.name !== 'AbortError' ? explain(failure) : t('load.stopped') }) : t('load.wiped'))));
  }

  show(entries) {
    this.table.element.hidden = entries.length === 0;
    this.table.setRows(entries, { keepPage: true });
  }
}
