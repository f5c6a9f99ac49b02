#include <thread>

#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>

#include "accounts/account_world.hpp"
#include "proxyxai/accounts/hold.hpp"
#include "proxyxai/storage/offline.hpp"

namespace proxyxai {
namespace {

using testing::IsEmpty;

UsageRow request_of(Money cost) {
  UsageRow row;
  row.cost = row.list_cost = cost;
  return row;
}

TEST(Departure, WaitsForChargesThatAreNotStoredYet) {
  AccountWorld world;
  const AccountPtr user = world.add(world.root, "user1", dollars(5));
  const auto begin = [&world] {
    world.loop.restart();
    world.loop.poll();
  };
  // While the disk is slow, the first is on its way to it and the second waits for its return.
  auto dawdle = [](AccountTransaction&) { std::this_thread::sleep_for(milliseconds(200)); };
  boost::asio::co_spawn(world.loop.get_executor(), world.store.transact(dawdle), boost::asio::detached);
  begin();
  world.ledger.note(user, request_of(dollars(1)));
  begin();
  world.ledger.note(user, request_of(dollars(2)));
  const AccountOutcome outcome = world.run(world.service.remove(world.root, "user1", {}));
  EXPECT_EQ(outcome.user.credit_used, dollars(3));
  EXPECT_EQ(world.number("SELECT SUM(amount) FROM transfers WHERE kind = 'refund'"), dollars(2).nanos);
  EXPECT_THAT(check_database(world.directory.path()), IsEmpty());
}

TEST(Departure, LetsNoRequestInWhoseBodyWasStillComing) {
  AccountWorld world;
  const AccountPtr user = world.add(world.root, "user1", dollars(5));
  world.run(world.service.remove(world.root, "user1", {}));
  Hold hold;
  const auto refusal = hold.place(user, {"gpt-4o", dollars(1), dollars(1), 1, 1}, {}, world.clock.now());
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->status, 401u);
  EXPECT_EQ(refusal->code, "invalid_api_key");
  EXPECT_EQ(user->in_flight, 0);
}

TEST(Departure, OfOldRequestsKeepsPaceWithSteadyLoad) {
  AccountWorld world;
  const AccountPtr user = world.add(world.root, "user1", dollars(5));
  constexpr int count = 4'500;
  auto write = [&world, id = user->row.id](AccountTransaction& transaction) {
    for (int i = 0; i < count; ++i) {
      UsageRow row = request_of({1});
      row.id = to_unix_ms(world.clock.wall_now()) * 1'000 + i;
      row.account_id = id;
      transaction.add(row);
    }
    Book(transaction, transaction.account(id).value(), world.clock.wall_now()).save();
  };
  world.run(world.store.transact(write));
  world.clock.advance(std::chrono::hours(24 * 91));
  world.tick();
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM requests"), count - 2'000);
  for (int i = 0; i < 2; ++i) {
    world.clock.advance(seconds(1));
    world.tick();
  }
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM requests"), 0);
  EXPECT_THAT(check_database(world.directory.path()), IsEmpty());
}

TEST(Departure, OfOldOperationsLeavesTheMovementsTheyCaused) {
  AccountWorld world;
  world.add(world.root, "user1", dollars(5));
  world.clock.advance(std::chrono::hours(24 * 60));
  world.add(world.root, "user2", dollars(5));
  world.clock.advance(std::chrono::hours(24 * 31));
  world.tick();
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM operations"), 1);
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM transfers"), 2);
  EXPECT_THAT(check_database(world.directory.path()), IsEmpty());
}

TEST(Departure, IsRefusedAtOnceWhileAnotherIsUnderWay) {
  AccountWorld world;
  const AccountPtr alice = world.add(world.root, "alice", dollars(5));
  alice->is_closing = true;
  EXPECT_THROW(world.run(world.service.remove(world.root, "alice", {})), Refused);
  EXPECT_FALSE(alice->is_enabled()) << "the first goes on";
  alice->is_closing = false;
  EXPECT_TRUE(alice->is_enabled());
  world.run(world.service.remove(world.root, "alice", {}));
  EXPECT_FALSE(alice->is_enabled());
}

TEST(Departure, OfADaemonWithManyBusyAccountsLeavesLittleToTakeIn) {
  AccountWorld world({.user_min_balance = {}});
  std::vector<AccountPtr> users;
  for (int i = 0; i < 501; ++i) users.push_back(world.add(world.root, "user" + std::to_string(i), dollars(1)));
  for (const AccountPtr& each : users) world.ledger.note(each, request_of({7}));
  world.loop.restart();
  world.loop.run();
  world.run(world.ledger.roll_up());
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM requests WHERE id > (SELECT value FROM marks WHERE name = 'rolled up')"), 0);
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM requests r JOIN accounts a ON a.id = r.account_id WHERE r.id > a.rolled_to"), 0);
}

}  // namespace
}  // namespace proxyxai
