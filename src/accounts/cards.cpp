#include "proxyxai/accounts/cards.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

void drop_empty(Cards& cards) {
  std::erase_if(cards, [](const CardRow& each) { return each.balance.nanos == 0; });
}

bool expires_before(const CardRow& a, const CardRow& b) { return a.expires_at < b.expires_at; }

void merge_smallest(Cards& cards) {
  const auto smaller = [](const CardRow& a, const CardRow& b) { return a.balance < b.balance; };
  auto first = std::min_element(cards.begin(), cards.end(), smaller);
  const CardRow gone = std::move(*first);
  cards.erase(first);
  CardRow& stays = *std::min_element(cards.begin(), cards.end(), smaller);
  stays.amount += gone.amount;
  stays.balance += gone.balance;
  stays.expires_at = std::max(stays.expires_at, gone.expires_at);
  std::stable_sort(cards.begin(), cards.end(), expires_before);
}

}  // namespace

Money sum_of(const Cards& cards) {
  Money sum;
  for (const CardRow& each : cards) sum += each.balance;
  return sum;
}

Money spend(Cards& cards, Money amount) {
  for (CardRow& each : cards) {
    const Money part = std::min(each.balance, amount);
    each.balance -= part;
    amount -= part;
  }
  drop_empty(cards);
  return amount;
}

void add_card(Cards& cards, CardRow card) {
  if (card.balance.nanos <= 0) return;
  cards.insert(std::upper_bound(cards.begin(), cards.end(), card, expires_before), std::move(card));
  while (cards.size() > most_cards) merge_smallest(cards);
}

Money revalue(Cards& cards, Rate from, Rate to) {
  const Money before = sum_of(cards);
  for (CardRow& each : cards) {
    each.balance = scale(each.balance, to, from);
    each.amount = scale(each.amount, to, from);
  }
  drop_empty(cards);
  return sum_of(cards) - before;
}

Money expire(Cards& cards, WallTime now, Money kept) {
  Money gone;
  for (CardRow& each : cards) {
    if (each.expires_at > now) break;
    const Money stays = std::min(kept, each.balance);
    gone += each.balance - stays;
    kept -= stays;
    each.balance = stays;
  }
  drop_empty(cards);
  return gone;
}

}  // namespace proxyxai
