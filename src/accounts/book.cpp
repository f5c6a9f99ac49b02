#include "proxyxai/accounts/book.hpp"

#include <algorithm>

namespace proxyxai {

Book::Book(AccountTransaction& transaction, AccountRow row, WallTime now, const UsageSum* known)
    : transaction_(transaction), row_(std::move(row)), cards_(transaction.cards(row_.id)), now_(now) {
  if (known != nullptr && known->after == row_.rolled_to) take_in(*known);
  else take_in(transaction_.usage_after(row_.id, row_.rolled_to));
}

void Book::record(const char* kind, AccountId from, AccountId to, Money amount) {
  if (amount.nanos == 0) return;
  if (amount.nanos < 0) {
    std::swap(from, to);
    amount = -amount;
  }
  transaction_.add(TransferRow{now_, kind, from, to, amount, operation_});
}

void Book::spend(Money amount) {
  const Money uncovered = proxyxai::spend(cards_, amount);
  if (row_.is_root) record("issue", counterpart::issue, row_.id, uncovered);
  else row_.overdraft += uncovered;
}

void Book::take_in(const UsageSum& usage) {
  Money cost;
  for (const DayRow& each : usage.days) {
    transaction_.add_to_day(each);
    const std::int32_t month = each.day / 100;
    if (month > row_.month) {
      row_.month = month;
      row_.month_used = {};
    }
    if (month == row_.month) row_.month_used += each.cost;
    row_.requests += each.requests;
    cost += each.cost;
  }
  transaction_.add_to_account(row_.id, usage.requests);
  row_.rolled_to = usage.last;
  row_.credit_used += cost;
  // The requests themselves are the record.
  spend(cost);
}

void Book::add(Money amount, seconds valid, std::string reference) {
  if (amount.nanos <= 0) return;
  const Money debt = std::min(row_.overdraft, amount);
  row_.overdraft -= debt;
  CardRow card;
  card.amount = amount;
  card.balance = amount - debt;
  card.granted_at = now_;
  card.expires_at = now_ + valid;
  card.reference = std::move(reference);
  add_card(cards_, std::move(card));
}

void Book::set_rate(Rate rate) {
  const Money cards = revalue(cards_, row_.rates, rate);
  const Money debt = scale(row_.overdraft, rate, row_.rates) - row_.overdraft;
  row_.overdraft += debt;
  record("rate_change", counterpart::revaluation, row_.id, cards - debt);
  row_.rates = rate;
}

void Book::expire_cards(Money held) {
  record("expiry", row_.id, counterpart::expired, expire(cards_, now_, held));
}

void Book::save() {
  transaction_.put_cards(row_.id, cards_);
  row_.updated_at = now_;
  transaction_.update(row_);
  row_.cards = sum_of(cards_);
}

void move_credit(const char* kind, Book& from, Money paid, Book& to, Money received, seconds valid, const std::string& reference) {
  if (from.row().is_root) {
    to.record(kind, counterpart::issue, to.row().id, received);
    to.add(received, valid, reference);
    return;
  }
  if (to.row().is_root) {
    from.record(kind, from.row().id, counterpart::issue, paid);
    from.spend(paid);
    return;
  }
  from.record(kind, from.row().id, to.row().id, received);
  from.record("rate_change", from.row().id, counterpart::revaluation, paid - received);
  from.spend(paid);
  to.add(received, valid, reference);
}

}  // namespace proxyxai
