// What the daemon does right now, from differences of its counters.
import { h, fill } from '../shared/dom.js';
import { setTexts, t } from '../shared/i18n.js';
import { number, percent, relative, dateTime } from '../shared/format.js';
import { History, quantile } from './rates.js';
import { sparkline } from './sparkline.js';
import { CountTable } from './counts.js';
import { tone } from '../keys/words.js';
import { texts } from './texts.js';

setTexts(texts);

const short = 10;      // seconds a sparkline's point and the rate of requests look back
const minute = 60;     // seconds that shares and latencies look back
const places = 150;    // points of a sparkline: five minutes of polls

const time = (found) => {
  if (!found) return '–';
  const { seconds, isBeyond } = found;
  const two = (value) => number(Number(value.toPrecision(2)));
  const text = seconds < 1 ? t('live.ms', { n: two(seconds * 1000) }) : t('live.s', { n: two(seconds) });
  return isBeyond ? `> ${text}` : text;
};
const rate = (value) => (value === null ? '–' : number(Number(value.toPrecision(value < 100 ? 2 : 3))));
const share = (count, requests) => (requests.Total > 0 ? count / requests.Total : null);
const shareWords = (value) => (value === null ? '–' : percent(value));
const ofAll = (count, { requests }) => t('live.of', { count: number(count), total: number(requests.Total) });
const pair = (counts, { bounds }) => (quantile(counts, bounds, 0.5) === null ? '–' : `${time(quantile(counts, bounds, 0.5))} / ${time(quantile(counts, bounds, 0.99))}`);
const p99 = (counts, { bounds }) => quantile(counts, bounds, 0.99)?.seconds ?? null;

function shareTile(name, count, isBad) {
  const value = (span) => share(count(span), span.requests);
  return { name, figure: (last) => shareWords(value(last)), point: value, note: (last) => ofAll(count(last), last), isBad: (last) => Boolean(isBad?.(value(last))) };
}

// `figure` is told what happened in the last minute, and the last poll; `point` what happened in the last ten seconds.
const tiles = [
  { name: 'rate', figure: (_, __, now) => rate(now.perSecond), point: (now) => now.perSecond },
  shareTile('server_errors', (last) => last.requests.ServerErrors, (value) => value > 0.01),
  shareTile('client_errors', (last) => last.requests.ClientErrors),
  shareTile('retries', (last) => last.retried),
  { name: 'total', figure: (last) => pair(last.total, last), point: (now) => p99(now.total, now) },
  { name: 'first_byte', figure: (last) => pair(last.firstByte, last), point: (now) => p99(now.firstByte, now) },
  { name: 'added', figure: (last) => pair(last.added, last), point: (now) => p99(now.added, now) },
  { name: 'in_flight', figure: (_, stats) => number(stats.InFlight), point: (_, stats) => stats.InFlight },
  { name: 'connections', figure: (_, stats) => number(stats.Connections), point: (_, stats) => stats.Connections },
];

const states = ['active', 'cooling', 'excluded', 'resting', 'exhausted', 'dead', 'disabled'];

class Tile {
  constructor(definition) {
    this.definition = definition;
    this.line = sparkline(places);
    this.figure = h('span', { class: 'figure number' }, '–');
    this.label = h('h3', {});
    this.note = h('span', { class: 'muted' });
    this.element = h('div', { class: 'card tile', dataset: { tile: definition.name } }, h('div', {}, this.label, this.figure, this.note), this.line.element);
    this.name();
  }

  name() {
    this.label.textContent = t(`tile.${this.definition.name}`);
    this.note.textContent = t(`tile.${this.definition.name}.note`);
  }

  show(last, stats, now) {
    const { name, figure, point, note, isBad } = this.definition;
    this.figure.textContent = last ? figure(last, stats, now) : '–';
    this.figure.classList.toggle('is-bad', Boolean(last && isBad?.(last)));
    this.note.textContent = t(`tile.${name}.note`) + (last?.requests.Total && note ? ` (${note(last)})` : '');
    this.line.add(now ? point(now, stats) : null);
  }
}

export class Panel {
  constructor(root, app) {
    this.app = app;
    this.history = new History(minute + short, 15);
    this.tiles = tiles.map((definition) => new Tile(definition));
    this.facts = h('p', { class: 'muted' });
    this.warning = h('p', { class: 'notice bad', role: 'alert', hidden: true });
    this.note = h('p', { class: 'muted' });
    this.keys = h('ul', { class: 'states' });
    this.keysTitle = h('h3', {});
    this.tables = { refusals: new CountTable(), attempts: new CountTable(), retries: new CountTable(), endpoints: new CountTable() };
    fill(root, this.warning, this.note, h('div', { class: 'tiles' }, this.tiles.map((tile) => tile.element)),
      h('section', { class: 'card' }, this.keysTitle, this.keys),
      h('div', { class: 'columns' }, Object.values(this.tables).map((table) => table.element)), this.facts);
    this.name();
  }

  /** Puts words into the language in force. */
  name() {
    this.keysTitle.textContent = t('live.keys');
    this.tiles.forEach((tile) => tile.name());
    for (const [name, table] of Object.entries(this.tables)) table.name(t(`table.${name}`), t(`table.${name}.none`), name);
    this.open();
    if (this.stats) this.show();
  }

  open() {
    this.note.hidden = Boolean(this.last) && !this.app.hasNoStats;
    this.note.textContent = t(this.app.hasNoStats ? 'live.unknown' : 'live.waiting');
  }

  /** The answer of one poll of /x-stats. */
  add(stats) {
    this.stats = stats;
    this.history.add(stats, performance.now() / 1000);
    this.last = this.history.last(minute);
    const now = this.history.last(short);
    this.tiles.forEach((tile) => tile.show(this.last, stats, now));
    this.open();
    this.show();
  }

  show() {
    const { stats, last } = this;
    this.tables.refusals.show(last?.refusals, stats.Refusals);
    this.tables.attempts.show(last?.attempts, stats.Attempts);
    this.tables.retries.show(last?.retries, stats.Retries);
    this.tables.endpoints.show(last?.byEndpoint, stats.ByEndpoint);
    this.showKeys(stats.Keys ?? {});
    this.warning.hidden = stats.LedgerHealthy !== false;
    if (!this.warning.hidden && !this.warning.textContent) this.warning.textContent = t('live.ledger');
    if (this.warning.hidden) this.warning.textContent = '';
    this.facts.textContent = t('live.facts', {
      version: stats.Version, since: dateTime(stats.StartedAt), ago: relative(stats.StartedAt), requests: number(stats.Requests.Total),
      left: number(stats.Requests.ClientsLeft), writes: number(stats.WaitingWrites), memory: number(Math.round(stats.ResidentBytes / 1048576)),
    });
  }

  showKeys(counts) {
    const shown = states.filter((state) => counts[state]).map((state) => `${state} ${counts[state]}`).join() + t('live.keys');
    if (shown === this.keysShown) return;
    this.keysShown = shown;
    // Those that are out for single models only are counted as active here, and are told apart in the list.
    const items = states.filter((state) => counts[state]).map((state) => h('li', {}, state === 'active'
      ? h('a', { class: 'badge good', href: '#pool' }, `${t('live.usable')} ${number(counts[state])}`)
      : h('a', { class: `badge ${tone(state)}`, href: `#pool/${state}` }, `${t(`state.${state}`)} ${number(counts[state])}`)));
    fill(this.keys, items.length ? items : h('li', { class: 'muted' }, t('live.no_keys')));
  }
}
