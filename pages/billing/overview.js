// What an account is, has and may: figures, prepaid cards, limits.
import { foreign, h } from './shared/dom.js';
import { compact, date, dateTime, money, number, percent, relative, toDate } from './shared/format.js';
import { t } from './shared/i18n.js';
import { shorten } from './shared/keys.js';
import { Table } from './shared/table.js';
import { state } from './key-list.js';

const week = 7 * 86_400_000;

/** Name, state and what else identifies it. */
export function heading(account) {
  const { info } = account;
  const facts = [
    ['account', [foreign(info.name), ` #${info.id}`]], ['account.key', h('code', {}, shorten(account.key))],
    ['email', foreign(info.email)], ['account.rate', `× ${number(info.rates)}`],
    ['account.since', date(info.create_at)], info.child > 0 && ['account.children', number(info.child)],
  ].filter(Boolean);
  return h('header', { class: 'stack' },
    h('div', { class: 'row' }, h('h2', { id: 'account-title', class: 'account-title' }, foreign(account.title)), state(account, true),
      h('span', { class: 'muted small push' }, t('keys.updated', { time: dateTime(account.asked) }))),
    h('dl', { class: 'identity' }, facts.map(([key, value]) => h('div', {}, h('dt', {}, t(key)), h('dd', {}, value)))),
    warning(account));
}

function warning(account) {
  const { info } = account;
  const least = info.minimums.call;
  const isLow = info.balance <= 0 || info.balance < least;
  if (isLow && !account.isRoot) return h('p', { class: 'notice warn' }, t(info.balance > 0 ? 'account.low' : 'account.recharge', { minimum: money(least) }));
  if (account.isOverLimit) return h('p', { class: 'notice warn' }, t('account.overLimit'));
  return null;
}

/** Left, today, this month, requests. */
export function tiles(account) {
  const { info } = account;
  const { daily_usage: today, monthly_usage: month } = info;
  const all = info.balance + info.credit_used;
  const left = all > 0 ? clamp(info.balance / all) : 0;
  const tokens = (usage) => t('tile.tokens', { input: compact(usage.PromptTokens), output: compact(usage.CompletionTokens) });
  return h('div', { class: 'tiles' },
    tile('left', account.isRoot ? t('unlimited') : money(info.balance), account.isRoot ? [] : bar(left, left < 0.1 ? 'warn' : '', percent(left)),
      t('tile.used', { money: money(info.credit_used) })),
    tile('tile.today', money(today.CreditUsed), t('tile.count', { count: today.Requests }), tokens(today)),
    tile('tile.month', money(month.CreditUsed), monthLimit(info, month), t('tile.count', { count: month.Requests }), tokens(month)),
    tile('requests', number(info.requests), t('tile.sinceStart')));
}

function monthLimit(info, month) {
  if (!(info.hard_limit > 0)) return t('tile.noLimit');
  const part = month.CreditUsed / info.hard_limit;
  const kind = part >= 1 ? 'bad' : info.soft_limit > 0 && month.CreditUsed >= info.soft_limit ? 'warn' : '';
  const said = t('tile.limit', { percent: percent(part), money: money(info.hard_limit) });
  return [bar(clamp(part), kind, said), h('span', {}, said), info.soft_limit > 0 && h('span', {}, t('tile.soft', { money: money(info.soft_limit) }))];
}

function tile(key, figure, ...more) {
  return h('section', { class: 'card tile' }, h('h3', { class: 'muted' }, t(key)), h('p', { class: 'figure' }, figure),
    more.flat().map((each) => (each instanceof Element ? each : h('span', {}, each))));
}

function bar(part, kind, said) {
  const filled = h('span');
  filled.style.width = `${part * 100}%`;
  return h('span', { class: `bar-track ${kind}`, role: 'img', 'aria-label': said }, filled);
}

const clamp = (part) => Math.min(1, Math.max(0, part || 0));

/** The prepaid cards, the one to be used first on top. */
export function cards(account) {
  const table = new Table({
    caption: 'cards.title', empty: 'cards.none', pageSize: 10,
    columns: [
      { key: 'left', title: 'left', align: 'end', cell: cardBalance },
      { key: 'amount', title: 'cards.amount', align: 'end', cell: (card) => money(card.amount) },
      { key: 'expires', title: 'cards.expires', cell: expiry },
      { key: 'granted', title: 'cards.granted', cell: (card) => h('span', { title: card.granted_at }, date(card.granted_at)) },
      { key: 'reference', title: 'cards.reference', cell: (card) => foreign(card.reference) },
    ],
  });
  table.setRows(account.info.credit_balance ?? []);
  return table.element;
}

function cardBalance(card) {
  const part = card.amount > 0 ? clamp(card.balance / card.amount) : 0;
  return h('span', { class: 'card-balance' }, money(card.balance), bar(part, '', percent(part)));
}

/** What ends within a week is marked. This computer's clock may be wrong: a card that is listed has not expired. */
function expiry(card) {
  const left = toDate(card.expires_at) - Date.now();
  const soon = left > 0 && left < week && h('span', { class: 'badge warn' }, relative(card.expires_at));
  return h('span', { class: 'row', title: card.expires_at }, date(card.expires_at), soon);
}

/** Rate limits and what may be used. */
export function limits(account) {
  const { info } = account;
  return h('section', { class: 'card stack' }, h('h3', {}, t('limits.title')),
    h('div', { class: 'grid-2' },
      rateTable(info),
      h('dl', { class: 'facts' },
        fact('limits.concurrency', limit(info.concurrency)), fact('limits.models', words(info.allow_models)),
        fact('limits.addresses', words(info.allow_ips)), fact('limits.paths', words(info.resources)))),
    modelLimits(info.model_limits));
}

const limit = (value) => (value > 0 ? number(value) : t('limits.none'));
const fact = (key, value) => [h('dt', {}, t(key)), h('dd', {}, value)];

function rateTable(info) {
  const row = (key, values) => h('tr', {}, h('th', { scope: 'row' }, t(key)), values.map((value) => h('td', { class: 'number' }, limit(value))));
  return h('div', { class: 'table-box', role: 'group', tabindex: '0', 'aria-label': t('limits.rates') }, h('table', {},
    h('caption', { class: 'visually-hidden' }, t('limits.rates')),
    h('thead', {}, h('tr', {}, ['limits.kind', 'limits.minute', 'limits.hour', 'limits.day'].map((key, index) => h('th', { scope: 'col', class: index ? 'number' : null }, t(key))))),
    h('tbody', {}, row('requests', [info.rpm, info.rph, info.rpd]), row('tokens', [info.tpm, info.tph, info.tpd]))));
}

/** A list as it stands in the API: words with spaces between; '*' is everything. */
function words(text) {
  const all = String(text ?? '').split(/\s+/).filter(Boolean);
  if (!all.length || (all.length === 1 && all[0] === '*')) return t('limits.all');
  return h('div', { class: 'words', tabindex: '0' }, all.map((each) => [h('code', {}, foreign(each)), ' ']));
}

function modelLimits(all) {
  const entries = Object.entries(all ?? {});
  if (!entries.length) return null;
  const kinds = ['rpm', 'rph', 'rpd', 'tpm', 'tph', 'tpd'].filter((kind) => entries.some(([, values]) => values[kind]));
  const table = new Table({
    caption: 'limits.perModel', cards: false, pageSize: 10,
    columns: [
      { key: 'model', title: 'model', value: ([model]) => model, cell: ([model]) => foreign(model) },
      ...kinds.map((kind) => ({ key: kind, title: kind.toUpperCase(), align: 'end', value: ([, values]) => values[kind], cell: ([, values]) => limit(values[kind]) })),
    ],
  });
  table.setRows(entries);
  return table.element;
}
