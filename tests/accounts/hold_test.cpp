#include "proxyxai/accounts/hold.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

class Holds : public testing::Test {
 protected:
  AccountPtr account(Money balance, AccountPtr parent = nullptr, RateLimits limits = {}) {
    AccountRow row;
    row.id = ++last_;
    row.name = "account" + std::to_string(row.id);
    row.dna = (parent ? parent->row.dna : ".") + std::to_string(row.id) + ".";
    row.cards = balance;
    row.limits = limits;
    auto made = std::make_shared<Account>();
    made->apply(row);
    made->parent = std::move(parent);
    return made;
  }
  static Demand demand(Money least, Money wanted, std::int64_t tokens = 10) { return {"gpt-4o", least, wanted, tokens, tokens}; }
  std::optional<ApiError> place(Hold& hold, const AccountPtr& who, const Demand& what, Money floor = {}) { return hold.place(who, what, floor, now_); }

  Instant now_ = Instant{} + std::chrono::hours(1);

 private:
  AccountId last_ = 0;
};

TEST_F(Holds, OfAThousandOnABalanceForOneExactlyOneIsPlaced) {
  const AccountPtr who = account(dollars(1));
  std::vector<std::unique_ptr<Hold>> holds;
  int placed = 0;
  for (int i = 0; i < 1'000; ++i) {
    auto& hold = holds.emplace_back(std::make_unique<Hold>());
    const auto refusal = place(*hold, who, demand(dollars(1), dollars(1)));
    placed += !refusal;
    if (!refusal) continue;
    EXPECT_EQ(refusal->status, 429u);
    EXPECT_EQ(refusal->code, "insufficient_quota");
    EXPECT_TRUE(refusal->final);
  }
  EXPECT_EQ(placed, 1);
  EXPECT_EQ(who->available(), Money{});
  EXPECT_EQ(who->in_flight, 1) << "a refused request takes no place";
  holds.clear();
  EXPECT_EQ(who->available(), dollars(1));
  EXPECT_EQ(who->in_flight, 0);
}

TEST_F(Holds, ReserveWhatThereIsUpToWhatIsWanted) {
  const AccountPtr who = account(dollars(3));
  Hold first, second, third;
  EXPECT_FALSE(place(first, who, demand(dollars(1), dollars(2))));
  EXPECT_EQ(first.money(), dollars(2));
  EXPECT_FALSE(place(second, who, demand(dollars(1), dollars(2))));
  EXPECT_EQ(second.money(), dollars(1));
  EXPECT_TRUE(place(third, who, demand({1}, {1})));
}

TEST_F(Holds, TopUpsStopWhereTheCreditDoes) {
  const AccountPtr who = account(dollars(3));
  Hold hold;
  ASSERT_FALSE(place(hold, who, demand(dollars(1), dollars(1))));
  EXPECT_TRUE(hold.top_up(dollars(2)));
  EXPECT_FALSE(hold.top_up({1}));
  EXPECT_EQ(hold.money(), dollars(3));
  hold.release();
  EXPECT_EQ(who->held, Money{});
  EXPECT_FALSE(hold.top_up({1})) << "it is not placed";
}

TEST_F(Holds, ABalanceUnderTheFloorMayNotCall) {
  const AccountPtr who = account(dollars(1));
  Hold hold;
  EXPECT_TRUE(place(hold, who, demand({1}, {1}), dollars(2)));
  EXPECT_FALSE(place(hold, who, demand({1}, {1}), dollars(1)));
}

TEST_F(Holds, NothingLeftIsRefusedEvenForNothing) {
  const AccountPtr who = account({});
  Hold hold;
  EXPECT_TRUE(place(hold, who, demand({}, {})));
}

TEST_F(Holds, RootIsNeverRefusedForMoney) {
  const AccountPtr root = account({});
  root->row.is_root = true;
  Hold hold;
  EXPECT_FALSE(place(hold, root, demand(dollars(1), dollars(1)), dollars(5)));
  EXPECT_TRUE(hold.top_up(dollars(1'000)));
  EXPECT_EQ(root->held, Money{});
}

TEST_F(Holds, TheMonthlyLimitStopsBeforeTheBalanceDoes) {
  const AccountPtr who = account(dollars(100));
  who->row.hard_limit = dollars(10);
  who->month_used = dollars(10);
  Hold hold;
  const auto refusal = place(hold, who, demand({1}, {1}));
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->code, "hard_limit_reached");
  who->month_used = dollars(10) - Money{1};
  EXPECT_FALSE(place(hold, who, demand({1}, {1})));
}

TEST_F(Holds, ANewMonthBeginsWithNothingUsed) {
  const AccountPtr who = account(dollars(100));
  who->row.hard_limit = dollars(10);
  who->month = 202611;
  who->month_used = dollars(10);
  Demand next = demand({1}, {1});
  next.month = 202611;
  Hold hold;
  EXPECT_TRUE(place(hold, who, next));
  next.month = 202612;
  EXPECT_FALSE(place(hold, who, next));
}

TEST_F(Holds, AChargeOfAnotherMonthIsNotTakenBackFromThisOne) {
  const AccountPtr who = account(dollars(100));
  who->charge(dollars(3), 202611);
  who->charge(dollars(1), 202612);
  who->take_back(dollars(3), 202611);
  EXPECT_EQ(who->used_in(202612), dollars(1));
  EXPECT_EQ(who->used_in(202611), Money{});
}

TEST_F(Holds, AChildCountsAgainstTheLimitsOfEveryAncestor) {
  const AccountPtr top = account(dollars(1), nullptr, {.rpm = 3});
  const AccountPtr middle = account(dollars(1), top);
  const AccountPtr one = account(dollars(1), middle, {.rpm = 2}), other = account(dollars(1), middle);
  Hold a, b, c, d;
  EXPECT_FALSE(place(a, one, demand({1}, {1})));
  EXPECT_FALSE(place(b, one, demand({1}, {1})));
  const auto own = place(c, one, demand({1}, {1}));
  ASSERT_TRUE(own);
  EXPECT_NE(own->message.find(one->row.name), std::string::npos);
  EXPECT_FALSE(own->final);
  ASSERT_TRUE(own->retry_after);
  EXPECT_GT(*own->retry_after, milliseconds(0));
  EXPECT_FALSE(place(c, other, demand({1}, {1})));
  const auto above = place(d, other, demand({1}, {1}));
  ASSERT_TRUE(above);
  EXPECT_NE(above->message.find(top->row.name), std::string::npos);
  EXPECT_EQ(other->in_flight, 1);
  EXPECT_EQ(top->in_flight, 3);
}

TEST_F(Holds, PlacesAreGivenBackOnTheWholeWayUp) {
  const AccountPtr top = account(dollars(1), nullptr, {.concurrency = 1}), kid = account(dollars(1), top);
  Hold first, second;
  EXPECT_FALSE(place(first, kid, demand({1}, {1})));
  EXPECT_TRUE(place(second, kid, demand({1}, {1})));
  first.release();
  first.release();
  EXPECT_EQ(top->in_flight, 0);
  EXPECT_FALSE(place(second, kid, demand({1}, {1})));
}

TEST_F(Holds, TokensCountAtAdmissionAndAreCorrectedAtSettlement) {
  const AccountPtr who = account(dollars(100), nullptr, {.tpm = 1'000});
  Hold first, second;
  ASSERT_FALSE(place(first, who, {"gpt-4o", {1}, {1}, 100, 900}));
  EXPECT_EQ(who->windows.tokens[0].used(now_), 900);
  ASSERT_FALSE(place(second, who, {"gpt-4o", {1}, {1}, 50, 900}));
  EXPECT_EQ(who->windows.tokens[0].used(now_), 1'000) << "only what is left";
  Hold third;
  EXPECT_TRUE(place(third, who, {"gpt-4o", {1}, {1}, 1, 1})) << "concurrency does not slip past the limit";
  first.settle(120, now_);
  EXPECT_EQ(who->windows.tokens[0].used(now_), 220);
  second.settle(400, now_);
  EXPECT_EQ(who->windows.tokens[0].used(now_), 520) << "what was used counts, even if it was not promised";
}

TEST_F(Holds, AReleasedHoldThatWasNotSettledKeepsItsTokensCounted) {
  const AccountPtr who = account(dollars(100), nullptr, {.tpm = 1'000});
  {
    Hold hold;
    ASSERT_FALSE(place(hold, who, demand({1}, {1}, 700)));
  }
  EXPECT_EQ(who->windows.tokens[0].used(now_), 700);
}

TEST_F(Holds, ARequestOverTheLimitItselfIsFinallyRefused) {
  const AccountPtr who = account(dollars(100), nullptr, {.tpm = 100});
  Hold hold;
  const auto refusal = place(hold, who, demand({1}, {1}, 101));
  ASSERT_TRUE(refusal);
  EXPECT_TRUE(refusal->final);
  EXPECT_FALSE(refusal->retry_after);
}

TEST_F(Holds, ModelsHaveLimitsOfTheirOwn) {
  const AccountPtr who = account(dollars(100));
  AccountRow row = who->row;
  row.model_limits = R"({"gpt-4o":{"rpm":1},"gpt-*":{"rpm":2}})";
  who->apply(row);
  Hold a, b, c, d;
  EXPECT_FALSE(place(a, who, demand({1}, {1})));
  EXPECT_TRUE(place(b, who, demand({1}, {1})));
  EXPECT_FALSE(place(b, who, {"gpt-4.1", {1}, {1}, 1, 1}));
  EXPECT_TRUE(place(c, who, {"gpt-4.1", {1}, {1}, 1, 1}));
  EXPECT_FALSE(place(c, who, {"o3", {1}, {1}, 1, 1}));
}

TEST_F(Holds, LimitsThatGoMeanwhileDoNoHarm) {
  const AccountPtr who = account(dollars(100), nullptr, {.tpm = 1'000});
  AccountRow row = who->row;
  row.model_limits = R"({"gpt-4o":{"tpm":500}})";
  who->apply(row);
  Hold hold;
  ASSERT_FALSE(place(hold, who, demand({1}, {1}, 200)));
  row.model_limits.clear();
  row.limits = {};
  who->apply(row);
  hold.settle(50, now_);
  EXPECT_FALSE(hold.is_placed());
}

TEST_F(Holds, NewLimitsKeepWhatWasCounted) {
  const AccountPtr who = account(dollars(100), nullptr, {.rpm = 2});
  Hold a, b;
  ASSERT_FALSE(place(a, who, demand({1}, {1})));
  AccountRow row = who->row;
  row.limits.rpm = 1;
  who->apply(row);
  EXPECT_TRUE(place(b, who, demand({1}, {1})));
}

TEST_F(Holds, TheTightestLimitIsShown) {
  const AccountPtr who = account(dollars(100), nullptr, {.rpm = 10, .rph = 12});
  Hold hold;
  for (int i = 0; i < 9; ++i) {
    ASSERT_FALSE(place(hold, who, demand({1}, {1})));
    hold.release();
  }
  const auto shown = shown_requests(*who, now_);
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->limit, 10);
  EXPECT_EQ(shown->left, 1);
  EXPECT_FALSE(shown_tokens(*who, now_));
}

TEST_F(Holds, TurnsOfASocketCountAsTheyEndAndOnce) {
  const AccountPtr above = account(dollars(100), nullptr, {.rpm = 3, .tpm = 1'000});
  const AccountPtr who = account(dollars(100), above);
  Hold hold;
  ASSERT_FALSE(place(hold, who, demand({1}, {1}, 10)));
  hold.use(100, now_);
  EXPECT_EQ(above->windows.tokens[0].used(now_), 110);
  EXPECT_EQ(above->windows.requests[0].used(now_), 1) << "the first turn is the request";
  EXPECT_TRUE(hold.has_room(now_));
  hold.use(200, now_);
  hold.use(300, now_);
  EXPECT_EQ(above->windows.requests[0].used(now_), 3);
  EXPECT_FALSE(hold.has_room(now_));
  hold.settle(600, now_);
  EXPECT_EQ(above->windows.tokens[0].used(now_), 600);
}

TEST_F(Holds, ReservationsKeepCreditUntilTheyDie) {
  const AccountPtr who = account(dollars(3));
  {
    Reservation first(who, dollars(1));
    Reservation moved(std::move(first));
    EXPECT_EQ(who->available(), dollars(2));
    EXPECT_EQ(who->reservations, 1);
  }
  EXPECT_EQ(who->available(), dollars(3));
  EXPECT_EQ(who->reservations, 0);
}

}  // namespace
}  // namespace proxyxai
