// Amounts in whole nano-dollars, as the service reckons them: what a question foretells is what is moved, to the last digit.
import { locale } from './shared/i18n.js';

const perDollar = 1_000_000_000n;

/** Nano-dollars of a number, or of text such as "80" or "0.25"; null where it is neither. */
export function nanosOf(value) {
  const text = typeof value === 'number' ? value.toFixed(9) : String(value ?? '').trim();
  const found = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?$/.exec(text);
  if (!found) return null;
  const size = BigInt(found[2]) * perDollar + BigInt((found[3] ?? '').padEnd(9, '0'));
  return found[1] ? -size : size;
}

export const dollarsOf = (nanos) => Number(nanos) / 1e9;

/** What `nanos` in the book of an account of rate `of` cost one of rate `payer`: rounded up. */
export function priceOf(nanos, of, payer) {
  return (nanos * nanosOf(payer) + nanosOf(of) - 1n) / nanosOf(of);
}

/** What `nanos` of an account of rate `of` are worth to one of rate `taker`: rounded down. */
export const worthOf = (nanos, of, taker) => nanos * nanosOf(taker) / nanosOf(of);

export function exactMoney(nanos, digits = 9) {
  const options = { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol', minimumFractionDigits: 2, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale(), options).format(dollarsOf(nanos));
}

/** A balance before and after a change of it. */
export const change = (balance, by) => ({ before: exactMoney(balance, 4), after: exactMoney(balance + by, 4) });
