// Numbers, money and times as the reader writes them. What is missing or no number is shown as a dash.
import { locale } from './i18n.js';

const missing = '–';
const formatters = new Map();

function formatter(kind, options) {
  const name = `${kind.name} ${locale()} ${JSON.stringify(options)}`;
  if (!formatters.has(name)) formatters.set(name, new kind(locale(), options));
  return formatters.get(name);
}

const isFigure = (value) => value != null && value !== '' && Number.isFinite(Number(value));

function write(value, options) {
  if (!isFigure(value)) return missing;
  return formatter(Intl.NumberFormat, options).format(Number(value));
}

/** Dollars. A thousandth of a cent is still shown: most requests cost less than a cent. */
export function money(usd) {
  const small = usd !== 0 && Math.abs(usd) < 0.01;
  return write(usd, {
    style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol',
    ...(small ? { maximumSignificantDigits: 3, minimumSignificantDigits: 1 } : {}),
  });
}

export const number = (n) => write(n, { maximumFractionDigits: 3 });
export const compact = (n) => write(n, { notation: 'compact', maximumFractionDigits: 1 });
export const percent = (x) => write(x, { style: 'percent', maximumFractionDigits: x != null && Math.abs(x) < 0.1 ? 1 : 0 });

/** A Date of an RFC 3339 time, of a plain day ('2026-11-25', which has no zone), of seconds since 1970, or null. */
export function toDate(value) {
  if (value == null || value === '') return null;
  const date = value instanceof Date ? value : new Date(typeof value === 'number' && value < 1e11 ? value * 1000 : value);
  return Number.isNaN(date.getTime()) ? null : date;
}

const isPlainDay = (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value);

function writeTime(value, options) {
  const date = toDate(value);
  if (!date) return missing;
  return formatter(Intl.DateTimeFormat, isPlainDay(value) ? { ...options, timeZone: 'UTC' } : options).format(date);
}

export const date = (d) => writeTime(d, { year: 'numeric', month: 'short', day: 'numeric' });
export const shortDate = (d) => writeTime(d, { month: 'numeric', day: 'numeric' });
export const dateTime = (d) => writeTime(d, { dateStyle: 'medium', timeStyle: 'medium' });
export const time = (d) => writeTime(d, { hour: '2-digit', minute: '2-digit', second: '2-digit' });

const unit = (value, name, digits = 0) => write(value, { style: 'unit', unit: name, unitDisplay: 'short', maximumFractionDigits: digits });

/** 20 ms, 1.2 s, 3 min 5 s */
export function duration(ms) {
  if (!isFigure(ms)) return missing;
  const length = Number(ms);
  if (length < 1000) return unit(length, 'millisecond');
  if (length < 60_000) return unit(length / 1000, 'second', 1);
  const seconds = Math.round(length / 1000);
  if (seconds < 3600) return `${unit(Math.floor(seconds / 60), 'minute')} ${unit(seconds % 60, 'second')}`;
  return `${unit(Math.floor(seconds / 3600), 'hour')} ${unit(Math.floor((seconds % 3600) / 60), 'minute')}`;
}

const steps = [['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]];

/** "in 3 days", "2 hours ago" */
export function relative(d, now = Date.now()) {
  const date = toDate(d);
  if (!date) return missing;
  const seconds = (date.getTime() - now) / 1000;
  const [name, length] = steps.find(([, each]) => Math.abs(seconds) >= each) ?? steps.at(-1);
  return formatter(Intl.RelativeTimeFormat, { numeric: 'auto' }).format(Math.trunc(seconds / length), name);
}
