// Pasted lines of a bulk recharge: `name-or-email amount [days]`. No DOM here.
import { nanosOf } from './money.js';

// Spreadsheets paste tabs; people write commas, also those of Chinese keyboards.
const separators = /[\s,;，；、]+/;
// 1,000 and 1 000 and 1,50: an amount as some write it, never an amount and days. Also with the blanks that word processors put between digits.
const grouped = /\d[,，、'’\u00a0\u2009\u202f]\d|\d\s0\d/;
const wholeDays = /^[1-9]\d{0,2}$/;

export const usualDays = 365;

/** {number, text, who, amount (nanos), days, problem}: `problem` is the key of a text. */
function parseLine(text, number) {
  const [who = '', amountText, daysText, ...rest] = text.trim().split(separators).filter(Boolean);
  // A name may end with a digit; a name of nothing but digits is none.
  const figures = /^[\d.]+$/.test(who) ? text : text.slice(text.indexOf(who) + who.length);
  const amount = nanosOf(amountText?.replace(/^[$＄]/, ''));
  const days = daysText && Number(daysText);
  const line = { number, text, who, amount, days, problem: '' };
  if (grouped.test(figures)) line.problem = 'bulkGrouped';
  else if (!amountText) line.problem = 'bulkNoAmount';
  else if (rest.length) line.problem = 'bulkTooMany';
  else if (amount === null || amount <= 0n) line.problem = 'bulkBadAmount';
  else if (daysText && !(wholeDays.test(daysText) && days <= usualDays)) line.problem = 'bulkBadDays';
  return line;
}

export function parseLines(text) {
  return text.split(/\r\n|\r|\n/).map((line, index) => line.trim() && parseLine(line, index + 1)).filter(Boolean);
}
