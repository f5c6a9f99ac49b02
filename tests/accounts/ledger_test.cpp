#include <gmock/gmock.h>

#include "accounts/account_world.hpp"
#include "proxyxai/accounts/book.hpp"
#include "proxyxai/storage/offline.hpp"

namespace proxyxai {
namespace {

UsageRow request_of(Money cost) {
  UsageRow row;
  row.cost = row.list_cost = cost;
  return row;
}

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
    EXPECT_EQ(world_.number("SELECT COUNT(*) FROM account_requests"), requests);
    EXPECT_THAT(check_database(world_.directory.path()), testing::IsEmpty());
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

/// Their ids, as a listing shows them to the caller.
std::vector<std::int64_t> listed(AccountWorld& world, const AccountPtr& caller, std::optional<AccountId> user = {}) {
  RequestQuery query;
  query.of = caller->row;
  query.user = user;
  std::vector<std::int64_t> ids;
  for (const ShownRequest& each : world.run(world.service.requests(std::move(query)))) ids.push_back(each.row.id);
  return ids;
}

TEST_F(LedgerSums, AreListedRightAfterTheCharge) {
  const AccountPtr bob = world_.add(world_.root, "bobby", dollars(100));
  use(3);
  ASSERT_TRUE(world_.use(bob, Money{1}));
  EXPECT_EQ(listed(world_, alice_).size(), 3u);
  EXPECT_EQ(world_.number("SELECT COUNT(*) FROM account_requests"), 3) << "nobody asked for those of others";
  EXPECT_EQ(listed(world_, world_.root, bob->row.id).size(), 1u);
  use(1);
  ASSERT_TRUE(world_.use(bob, Money{1}));
  EXPECT_EQ(listed(world_, world_.root).size(), 6u);
  EXPECT_THAT(check_database(world_.directory.path()), testing::IsEmpty());
}

TEST_F(LedgerSums, OfABusyAccountDoNotWaitForTheOthers) {
  for (int i = 0; i < 2'100; ++i) world_.ledger.note(alice_, request_of({7}));
  world_.loop.restart();
  world_.loop.run();
  EXPECT_EQ(world_.number("SELECT requests FROM accounts WHERE name = 'alice'"), 2'000);
  EXPECT_THAT(check_database(world_.directory.path()), testing::IsEmpty());
}

TEST_F(LedgerSums, AreTakenInAtTheStartAfterACrash) {
  std::vector<AccountPtr> users{alice_};
  for (int i = 0; i < 600; ++i) users.push_back(world_.add(world_.root, "user" + std::to_string(i), dollars(2)));
  for (int round = 0; round < 3; ++round) {
    for (const AccountPtr& each : users) world_.ledger.note(each, request_of({5}));
    world_.loop.restart();
    world_.loop.run();
    // One of them is taken in already, and the mark is behind it.
    if (round == 1) EXPECT_EQ(listed(world_, alice_).size(), 2u);
  }
  EXPECT_EQ(world_.number("SELECT COUNT(*) FROM account_requests"), 2);
  Ledger next(world_.loop, world_.store, world_.accounts, world_.clock, {});
  world_.run(next.start({}));
  EXPECT_EQ(world_.number("SELECT COUNT(*) FROM account_requests"), 3 * 601);
  EXPECT_EQ(world_.number("SELECT MIN(requests) FROM accounts WHERE NOT is_root"), 3);
  EXPECT_EQ(world_.number("SELECT value FROM marks WHERE name = 'rolled up'"), world_.number("SELECT MAX(id) FROM requests"));
  EXPECT_THAT(check_database(world_.directory.path()), testing::IsEmpty());
}

TEST_F(LedgerSums, MoveTheMarkAlsoWhenChangesHaveTakenAllOfThemIn) {
  use(3);
  AccountChange change;
  change.alias = "Al";
  world_.run(world_.service.update(world_.root, "alice", change, {}));
  world_.tick();
  EXPECT_EQ(world_.number("SELECT value FROM marks WHERE name = 'rolled up'"), world_.number("SELECT MAX(id) FROM requests"));
}

}  // namespace
}  // namespace proxyxai
