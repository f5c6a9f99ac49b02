// Pasted lines of a bulk recharge: `name-or-email amount [days]`, one account a line. No DOM here.
import { nanosOf } from './money.js';

// Spreadsheets paste tabs; people write commas, also those of Chinese keyboards.
const separators = /[\s,;，；、]+/;

/** 80 and 80.50, also with a dollar sign. Thousands separators would be taken for the end of a field. */
function amountOf(text) {
  const nanos = nanosOf(text.replace(/^[$＄]/, ''));
  return nanos !== null && nanos > 0n ? nanos : null;
}

function daysOf(text) {
  const good = /^\d{1,3}(\.\d+)?$/.test(text) && Number(text) <= 365;
  return good ? Number(text) : null;
}

/** {number, text, who, amount (nanos), days, problem}: `problem` names the text that says what is wrong with the line itself. */
function parseLine(text, number) {
  const line = { number, text, who: '', amount: null, days: undefined, problem: '' };
  const parts = text.trim().split(separators).filter(Boolean);
  [line.who] = parts;
  if (parts.length < 2) return { ...line, problem: 'bulkNoAmount' };
  if (parts.length > 3) return { ...line, problem: 'bulkTooMany' };
  line.amount = amountOf(parts[1]);
  if (line.amount === null) return { ...line, problem: 'bulkBadAmount' };
  if (parts.length === 3) {
    line.days = daysOf(parts[2].replace(/d(ays?)?$|天$/i, ''));
    if (line.days === null) return { ...line, problem: 'bulkBadDays' };
  }
  return line;
}

export function parseLines(text) {
  return text.split(/\r\n|\r|\n/)
    .map((line, index) => [line, index + 1])
    .filter(([line]) => line.trim() !== '')
    .map(([line, number]) => parseLine(line, number));
}
