#include <gtest/gtest.h>

#include "accounts/account_world.hpp"
#include "proxyxai/accounts/book.hpp"

namespace proxyxai {
namespace {

/// Requests are added up in memory until they are rolled up; what is stored must be each of them once.
class LedgerSums : public testing::Test {
 protected:
  void use(int times) {
    for (int i = 0; i < times; ++i) ASSERT_TRUE(world_.use(alice_, Money{1'000'001}, i % 2 == 0 ? "gpt-4o" : "o3"));
  }
  void expect_rolled(std::int64_t requests) {
    const std::string mine = " FROM days WHERE account_id = " + std::to_string(alice_->row.id);
    EXPECT_EQ(world_.number("SELECT SUM(requests)" + mine), requests);
    EXPECT_EQ(world_.number("SELECT SUM(cost)" + mine), requests * 1'000'001);
    EXPECT_EQ(world_.number("SELECT SUM(input) + SUM(cached) + SUM(output)" + mine), requests * 150);
    EXPECT_EQ(world_.number("SELECT requests FROM accounts WHERE name = 'alice'"), requests);
    EXPECT_EQ(world_.number("SELECT COUNT(*) FROM requests r JOIN accounts a ON a.id = r.account_id WHERE r.id > a.rolled_to"), 0);
    EXPECT_EQ(world_.number("SELECT SUM(amount) FROM entries"), 0);
    EXPECT_EQ(alice_->balance(), dollars(100) - Money{requests * 1'000'001});
  }

  AccountWorld world_{{}, {.roll_up_after = 1'000'000}};
  AccountPtr alice_ = world_.add(world_.root, "alice", dollars(100));
};

TEST_F(LedgerSums, AreByDayAndModel) {
  use(3);
  world_.clock.advance(std::chrono::hours(24));
  use(4);
  world_.tick();
  expect_rolled(7);
  EXPECT_EQ(world_.number("SELECT COUNT(*) FROM days"), 4);
  EXPECT_EQ(world_.number("SELECT MIN(requests) * 10 + MAX(requests) FROM days"), 12);
}

TEST_F(LedgerSums, GoOnAfterARollUp) {
  use(3);
  world_.tick();
  use(2);
  world_.clock.advance(std::chrono::seconds(10));
  world_.tick();
  expect_rolled(5);
}

TEST_F(LedgerSums, KnowWhatAChangeOfTheAccountHasTakenIn) {
  use(3);
  AccountChange change;
  change.alias = "Al";
  world_.run(world_.service.update(world_.root, "alice", change, {}));
  use(2);
  world_.tick();
  expect_rolled(5);
}

TEST_F(LedgerSums, AreReadAgainWhereMemoryDoesNotKnowWhatIsStored) {
  use(3);
  const auto roll_behind_its_back = [this](AccountTransaction& transaction) {
    Book(transaction, transaction.account(alice_->row.id).value(), world_.clock.wall_now()).save();
  };
  world_.run(world_.store.transact(roll_behind_its_back));
  use(2);
  world_.tick();
  expect_rolled(5);
  use(1);
  world_.clock.advance(std::chrono::seconds(10));
  world_.tick();
  expect_rolled(6);
}

}  // namespace
}  // namespace proxyxai
