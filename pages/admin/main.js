// Root's console: who is let in, which section is shown, and whether the API is there.
import { byId, fill, h } from './shared/dom.js';
import { onLanguage, setTexts, t } from './shared/i18n.js';
import { time } from './shared/format.js';
import { Api, apiOrigin, explain } from './shared/api.js';
import { findKeys, KeyChoice } from './shared/keys.js';
import { startFrame } from './shared/frame.js';
import { texts } from './texts.js';
import { clock } from './keys/words.js';
import { Poller } from './poller.js';

const statsEvery = 2000;
// Each section is a directory whose panel.js is fetched when it is looked at first.
const sections = ['live', 'pool', 'load', 'spend', 'prices', 'mapping'];
const choice = new KeyChoice('admin-key');

class Console {
  constructor(key) {
    this.api = new Api(key);
    this.answeredAt = null;
    this.startedAt = Date.now();
    this.panels = {};
    this.stats = new Poller({
      ask: (signal) => this.api.get('/x-stats', {}, { signal }),
      every: () => statsEvery,
      onAnswer: (stats) => { this.answered(); this.panels.live?.add(stats); },
      onFailure: (error) => this.failed(error),
    });
    this.onHash = () => this.open();
    window.addEventListener('hashchange', this.onHash);
    this.isOpen = true;
    this.stats.start();
    this.open();
  }

  /** `#pool/cooling`: a section and what it is to show. */
  async open() {
    const [wanted, detail] = location.hash.slice(1).split('/');
    const name = sections.includes(wanted) ? wanted : 'live';
    for (const each of sections) {
      byId(`panel-${each}`).hidden = each !== name;
      if (each !== name) this.panels[each]?.close?.();
    }
    for (const link of byId('sections').children) {
      const isHere = link.hash === `#${name}`;
      isHere ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current');
    }
    this.shown = name;
    const root = byId(`panel-${name}`).lastElementChild;
    if (!this.panels[name]) {
      fill(root, h('p', { class: 'muted' }, t('loading')));
      try {
        const { Panel } = await import(`./${name}/panel.js`);
        if (!this.isOpen) return;
        this.panels[name] ??= new Panel(root, this);
      } catch (error) {
        fill(root, h('p', { class: 'notice bad', role: 'alert' }, t('section.missing')));
        throw error;
      }
    }
    if (this.shown === name) this.panels[name].open?.(detail);
  }

  close() {
    this.isOpen = false;
    window.removeEventListener('hashchange', this.onHash);
    this.stats.stop();
    for (const panel of Object.values(this.panels)) {
      panel.close?.();
      panel.wipe?.();
    }
    for (const name of sections) fill(byId(`panel-${name}`).lastElementChild);
    byId('away').hidden = true;
    byId('fresh').textContent = '';
  }

  name() {
    for (const panel of Object.values(this.panels)) panel.name();
    this.showAway();
  }

  answered() {
    this.answeredAt = Date.now();
    this.fault = null;
    this.showAway();
  }

  failed(error) {
    if (error.status === 401 || error.code === 'resource_not_allowed') {
      leave(wordsFor(error));
      return;
    }
    if (error.status === 404) {
      // An older daemon tells less; the rest of the page works.
      this.hasNoStats = true;
      if (this.shown === 'live') this.panels.live?.open();
      return;
    }
    this.fault = error;
    this.showAway();
  }

  showAway() {
    if (this.answeredAt) byId('fresh').textContent = t('fresh', { time: time(this.answeredAt) });
    const box = byId('away');
    box.hidden = !this.fault;
    const since = this.answeredAt ?? this.startedAt;
    const words = this.fault ? t('away', { origin: apiOrigin(), since: clock(since), why: explain(this.fault) }) : '';
    // Said again only when it is something else.
    if (box.firstElementChild.textContent !== words) box.firstElementChild.textContent = words;
  }

  tryNow() {
    this.stats.now();
    this.panels[this.shown]?.poller?.now();
  }

  /** Keys that were just loaded: the pool shows them without being asked for. */
  keysCame(keys) {
    const { pool } = this.panels;
    if (!pool) return;
    keys.forEach((key) => pool.store.put(key));
    pool.showSoon();
  }
}

let open = null;

const wordsFor = (error) => (error.code === 'resource_not_allowed' ? t('enter.not_root') : explain(error));

function say(words) {
  byId('enter-fault').textContent = words;
  byId('enter-fault').hidden = !words;
}

function enter(key) {
  byId('enter').hidden = true;
  byId('console').hidden = false;
  byId('leave').hidden = false;
  open = new Console(key);
}

function leave(words = '') {
  open?.close();
  open = null;
  choice.clear();
  byId('console').hidden = true;
  byId('leave').hidden = true;
  byId('enter').hidden = false;
  say(words);
  byId('root-key').focus();
}

/** Asks who the key belongs to before anything is shown or kept. */
async function submit(event) {
  event.preventDefault();
  const input = byId('root-key');
  const [key] = findKeys(input.value);
  if (!key) {
    say(t('enter.no_key'));
    input.focus();
    return;
  }
  byId('go').disabled = true;
  say('');
  try {
    await new Api(key).get('/x-config');
    input.value = '';
    choice.set(key, byId('remember').checked);
    enter(key);
    byId('main').focus();
  } catch (error) {
    say(wordsFor(error));
  }
  byId('go').disabled = false;
}

setTexts(texts);
startFrame({ title: 'title' });
onLanguage(() => open?.name());
byId('enter').addEventListener('submit', submit);
byId('leave').addEventListener('click', () => leave());
byId('away').lastElementChild.addEventListener('click', () => open?.tryNow());
if (choice.key) enter(choice.key);
else byId('enter').hidden = false;
