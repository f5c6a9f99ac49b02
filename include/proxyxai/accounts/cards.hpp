#pragma once

#include <vector>

#include "proxyxai/storage/account_store.hpp"

namespace proxyxai {

/// The prepaid cards of one account, always sorted by expiry: the earliest is spent first. Pure; any thread.
using Cards = std::vector<CardRow>;

inline constexpr std::size_t most_cards = 10;

Money sum_of(const Cards& cards);

/// Takes `amount` from the cards, earliest first; cards left empty are dropped. Returns what they did not cover.
Money spend(Cards& cards, Money amount);

/// Puts a card in its place. Beyond `most_cards` the two with the smallest balances become one, with the later expiry.
void add_card(Cards& cards, CardRow card);

/// Multiplies balances and amounts by `to / from`, so that what they buy stays. Returns by how much the sum changed.
Money revalue(Cards& cards, Rate from, Rate to);

/// Drops cards that expired by `now`, but for `kept` of their sum, which requests in flight have been promised. Returns what is gone.
Money expire(Cards& cards, WallTime now, Money kept);

}  // namespace proxyxai
