// The state of an upstream key in words, out of what GET /x-keys says of it.
import { hasText, locale, setTexts, t } from '../shared/i18n.js';
import { dateTime } from '../shared/format.js';
import { texts } from './texts.js';

setTexts(texts);

const day = 86_400_000;
const mostLimits = 3;
const longestSubject = 80;

const short = (text) => (text.length > longestSubject ? `${text.slice(0, longestSubject)}…` : text);

/** Seconds matter when it is soon, the date when it is not today. */
export function clock(time) {
  const at = new Date(time);
  const distance = Math.abs(at - Date.now());
  if (Number.isNaN(at.getTime()) || distance > day / 2) return dateTime(time);
  const options = { hour: '2-digit', minute: '2-digit' };
  if (distance < 120_000) options.second = '2-digit';
  return new Intl.DateTimeFormat(locale(), options).format(at);
}

/** Upstream's code, or the daemon's, as words; codes nobody foresaw are shown with their underscores as blanks. */
export function reasonWords(code) {
  if (!code) return t('reason.unknown');
  const http = /^http_(\d+)$/.exec(code);
  if (http) return t('reason.http', { status: http[1] });
  return hasText(`reason.${code}`) ? t(`reason.${code}`) : code.replaceAll('_', ' ');
}

/** What is narrowed for a single model or endpoint. Models come from clients: nothing is read out of their names. */
function limitWords({ Kind: kind, Subject: subject, Reason: reason, Until: until }) {
  const values = { subject: short(subject), until: until ? clock(until) : '', reason: reasonWords(reason) };
  if (kind !== 'cooling') return t(until ? 'words.excluded_until' : 'words.excluded', values);
  return t(subject ? 'words.cooling' : 'words.cooling_all', values);
}

/** The first few: clients may name as many models as they like. */
function limitsWords(limits) {
  const words = limits.slice(0, mostLimits).map(limitWords);
  const count = limits.length - words.length;
  return count ? [...words, t('words.more', { count })] : words;
}

/** One sentence for each thing that holds. */
export function sentences(key) {
  const values = {
    reason: reasonWords(key.Reason),
    since: key.Since ? clock(key.Since) : '–',
    until: key.Until ? clock(key.Until) : '',
  };
  switch (key.State) {
    case 'active': return [t('words.active')];
    case 'cooling':
    case 'excluded': return key.Limits?.length ? limitsWords(key.Limits) : [t('words.limited', values)];
    case 'resting':
    case 'exhausted': return [t(`words.${key.State}${key.Until ? '' : '_now'}`, values)];
    case 'dead': return [t('words.dead', values)];
    case 'disabled': return [t(key.Reason === 'set_by_operator' || !key.Reason ? 'words.disabled' : 'words.suspended', values)];
    default: return [`${key.State}: ${key.Reason}`];
  }
}

/** How a state is coloured; the word always stands beside the colour. */
export const tone = (state) => ({ active: 'good', dead: 'bad', exhausted: 'bad', disabled: 'idle' })[state] ?? 'warn';
