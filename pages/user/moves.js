// What a change of money would move, in words.
import { t } from './shared/i18n.js';
import { change, exactMoney, nanosOf, priceOf, worthOf } from './money.js';

const costOf = ({ own, isRoot }, row, amount) => (isRoot ? 0n : priceOf(amount, row.Rates, own.Rates));

/** Whether it costs more than the caller has. */
export const isShort = (accounts, row, amount) => !accounts.isRoot && costOf(accounts, row, amount) > nanosOf(accounts.own.Balance);

export function grantFacts(accounts, row, amount) {
  const { own, isRoot } = accounts;
  const values = { name: row.Name, amount: exactMoney(amount), ...change(nanosOf(row.Balance), amount) };
  if (isRoot) return [t('issued', values), t('gives', values)];
  const cost = costOf(accounts, row, amount);
  return [t('costs', { cost: exactMoney(cost), ...change(nanosOf(own.Balance), -cost) }), t('gives', values)];
}

export function takeBackFacts({ own, isRoot, fees }, row, amount) {
  const takes = t('takes', { name: row.Name, amount: exactMoney(amount), ...change(nanosOf(row.Balance), -amount) });
  if (isRoot) return [takes, t('withdrawn')];
  const worth = worthOf(amount, row.Rates, own.Rates);
  const fee = nanosOf(fees.transaction);
  return [takes, t('getsBack', { worth: exactMoney(worth), fee: exactMoney(fee), ...change(nanosOf(own.Balance), worth - fee) })];
}

export function rateFacts(row, rate) {
  const balance = nanosOf(row.Balance);
  return [t('ratesMove', change(balance, balance * rate / nanosOf(row.Rates) - balance)), t('noMoney')];
}

/** The money goes to the account above, which need not be the caller. */
export function removeFacts({ fees }, row, parent) {
  const balance = nanosOf(row.Balance);
  const values = { name: parent.Name, balance: exactMoney(balance < 0n ? -balance : balance) };
  if (balance === 0n) return [t('noMoney')];
  if (parent.Level === 0) return [t(balance < 0n ? 'debtToRoot' : 'refundToRoot', values)];
  if (balance < 0n) return [t('debt', { ...values, price: exactMoney(priceOf(-balance, row.Rates, parent.Rates)) })];
  const worth = worthOf(balance, row.Rates, parent.Rates);
  const fee = nanosOf(fees.transaction);
  const kept = fee < worth ? fee : worth;
  return [t('refund', { ...values, refund: exactMoney(worth - kept), fee: exactMoney(kept) })];
}
