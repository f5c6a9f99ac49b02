// Pasted lines of a bulk recharge: `name-or-email amount [days]`. No DOM here.
import { nanosOf } from './money.js';

// Spreadsheets paste tabs; people write commas, also those of Chinese keyboards.
const separators = /[\s,;，；、]+/;

/** {number, text, who, amount (nanos), days, problem}: `problem` is the key of a text. */
function parseLine(text, number) {
  const [who, amountText, daysText, ...rest] = text.trim().split(separators).filter(Boolean);
  const amount = nanosOf(amountText?.replace(/^[$＄]/, ''));
  const days = daysText && Number(daysText);
  const line = { number, text, who, amount, days, problem: '' };
  if (!amountText) line.problem = 'bulkNoAmount';
  else if (rest.length) line.problem = 'bulkTooMany';
  else if (amount === null || amount <= 0n) line.problem = 'bulkBadAmount';
  else if (daysText && !(/^\d+(\.\d+)?$/.test(daysText) && days <= 365)) line.problem = 'bulkBadDays';
  return line;
}

export function parseLines(text) {
  return text.split(/\r\n|\r|\n/).map((line, index) => line.trim() && parseLine(line, index + 1)).filter(Boolean);
}
