#include "proxyxai/accounts/cards.hpp"

#include <random>

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

CardRow card(std::int64_t nanos, int expires_day, const char* reference = "") {
  CardRow row;
  row.amount = row.balance = {nanos};
  row.expires_at = from_unix_ms(std::int64_t{expires_day} * 86'400'000);
  row.reference = reference;
  return row;
}

std::vector<std::int64_t> balances(const Cards& cards) {
  std::vector<std::int64_t> list;
  for (const CardRow& each : cards) list.push_back(each.balance.nanos);
  return list;
}

Cards made(std::initializer_list<CardRow> rows) {
  Cards cards;
  for (const CardRow& each : rows) add_card(cards, each);
  return cards;
}

TEST(Cards, AreSortedByExpiryAndThoseOfOneDayByAge) {
  const Cards cards = made({card(1, 30), card(2, 10), card(3, 20), card(4, 10)});
  EXPECT_EQ(balances(cards), (std::vector<std::int64_t>{2, 4, 3, 1}));
  EXPECT_EQ(sum_of(cards).nanos, 10);
}

TEST(Cards, TheEarliestExpiringIsSpentFirst) {
  Cards cards = made({card(100, 30), card(50, 10), card(70, 20)});
  EXPECT_EQ(spend(cards, {60}), Money{});
  EXPECT_EQ(balances(cards), (std::vector<std::int64_t>{60, 100}));
  EXPECT_EQ(spend(cards, {60}), Money{});
  EXPECT_EQ(balances(cards), (std::vector<std::int64_t>{100})) << "an empty card is gone";
}

TEST(Cards, WhatTheyDoNotCoverIsReturned) {
  Cards cards = made({card(100, 30), card(50, 10)});
  EXPECT_EQ(spend(cards, {151}), Money{1});
  EXPECT_TRUE(cards.empty());
  EXPECT_EQ(spend(cards, {7}), Money{7});
  EXPECT_EQ(spend(cards, {}), Money{});
}

TEST(Cards, SpendingKeepsTheAmountThatWasGranted) {
  Cards cards = made({card(100, 30)});
  spend(cards, {40});
  EXPECT_EQ(cards[0].amount.nanos, 100);
  EXPECT_EQ(cards[0].balance.nanos, 60);
}

TEST(Cards, BeyondTenTheTwoSmallestBecomeOneWithTheLaterExpiry) {
  Cards cards;
  for (int i = 0; i < 10; ++i) add_card(cards, card(100 + i, 10 + i));
  add_card(cards, card(5, 50));
  ASSERT_EQ(cards.size(), most_cards);
  // 5 (day 50) and 100 (day 10) are the two smallest.
  EXPECT_EQ(cards.back().balance.nanos, 105);
  EXPECT_EQ(cards.back().expires_at, card(0, 50).expires_at);
  EXPECT_EQ(cards.front().balance.nanos, 101);
  EXPECT_EQ(sum_of(cards).nanos, 100 * 10 + 45 + 5);
}

TEST(Cards, AnEmptyCardIsNotKept) {
  Cards cards;
  add_card(cards, card(0, 10));
  add_card(cards, card(-5, 10));
  EXPECT_TRUE(cards.empty());
}

TEST(Cards, ARateChangeKeepsWhatTheyBuy) {
  Cards cards = made({card(50'000'000'000, 10), card(80'000'000'000, 20)});
  EXPECT_EQ(revalue(cards, list_rate, 2 * list_rate).nanos, 130'000'000'000);
  EXPECT_EQ(balances(cards), (std::vector<std::int64_t>{100'000'000'000, 160'000'000'000}));
  EXPECT_EQ(cards[0].amount, dollars(100));
  EXPECT_EQ(revalue(cards, 2 * list_rate, list_rate), dollars(-130));
  EXPECT_EQ(balances(cards), (std::vector<std::int64_t>{50'000'000'000, 80'000'000'000}));
}

TEST(Cards, ExpireAtTheirMomentAndNotBefore) {
  Cards cards = made({card(50, 10), card(70, 20)});
  const WallTime moment = card(0, 10).expires_at;
  EXPECT_EQ(expire(cards, moment - milliseconds(1), {}), Money{});
  EXPECT_EQ(expire(cards, moment, {}), Money{50});
  EXPECT_EQ(balances(cards), (std::vector<std::int64_t>{70}));
}

TEST(Cards, WhatIsPromisedDoesNotExpire) {
  Cards cards = made({card(50, 10), card(70, 11), card(90, 30)});
  EXPECT_EQ(expire(cards, card(0, 15).expires_at, {60}), Money{60});
  EXPECT_EQ(balances(cards), (std::vector<std::int64_t>{50, 10, 90}));
}

TEST(Cards, NeverMakeOrLoseMoney) {
  std::mt19937 random(7);
  const auto below = [&random](std::uint32_t end) { return static_cast<int>(random() % end); };
  Cards cards;
  std::int64_t expected = 0;
  for (int step = 0; step < 20'000; ++step) {
    switch (below(4)) {
      case 0: {
        const std::int64_t amount = below(1'000'000) + 1;
        add_card(cards, card(amount, below(400)));
        expected += amount;
        break;
      }
      case 1: {
        const Money wanted{below(400'000)};
        expected -= (wanted - spend(cards, wanted)).nanos;
        break;
      }
      case 2: {
        const Rate from = below(20) + 1;
        // Bounded, as the balances of accounts are.
        const Rate to = std::min<Rate>(below(20) + 1, expected > 1'000'000'000'000 ? from : 20);
        expected += revalue(cards, from * list_rate / 10, to * list_rate / 10).nanos;
        break;
      }
      default: expected -= expire(cards, card(0, below(100)).expires_at, {below(1000)}).nanos;
    }
    ASSERT_EQ(sum_of(cards).nanos, expected);
    ASSERT_LE(cards.size(), most_cards);
    for (std::size_t i = 1; i < cards.size(); ++i) ASSERT_LE(cards[i - 1].expires_at, cards[i].expires_at);
    for (const CardRow& each : cards) ASSERT_GT(each.balance.nanos, 0);
  }
}

}  // namespace
}  // namespace proxyxai
