// Amounts exactly as the service reckons them: whole nano-dollars, so that what a confirmation foretells is what is moved.
// Binary fractions would be off in the last digit shown now and then.
import { locale } from './shared/i18n.js';

const perDollar = 1_000_000_000n;
const amountPattern = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?$/;

/** Nano-dollars of a number, or of text such as "80" or "0.25"; null where it is neither. */
export function nanosOf(value) {
  const text = typeof value === 'number' ? value.toFixed(9) : String(value ?? '').trim();
  const found = amountPattern.exec(text);
  if (!found) return null;
  const size = BigInt(found[2]) * perDollar + BigInt((found[3] ?? '').padEnd(9, '0'));
  return found[1] ? -size : size;
}

export function dollarsOf(nanos) {
  return Number(nanos) / 1e9;
}

/** What `nanos` in the book of an account of rate `of` cost an account of rate `payer`: rounded up. */
export function priceOf(nanos, of, payer) {
  const rate = nanosOf(of) || perDollar;
  return (nanos * (nanosOf(payer) ?? perDollar) + rate - 1n) / rate;
}

/** What `nanos` of an account of rate `of` are worth in one of rate `taker`: rounded down. */
export function worthOf(nanos, of, taker) {
  return nanos * (nanosOf(taker) ?? perDollar) / (nanosOf(of) || perDollar);
}

/** The card a parent gets when an account is deleted, and the fee that was kept of it. */
export function refundOf(balance, of, taker, mostFee) {
  const worth = worthOf(balance, of, taker);
  const fee = mostFee < worth ? mostFee : worth;
  return { refund: worth - fee, fee };
}

/** What moves is stated to the last digit. */
export function exactMoney(nanos, digits = 9) {
  const options = { style: 'currency', currency: 'USD', currencyDisplay: 'narrowSymbol', minimumFractionDigits: 2, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale(), options).format(dollarsOf(nanos));
}

/** What is there before and after it need not be. */
export const balanceText = (nanos) => exactMoney(nanos, 4);
