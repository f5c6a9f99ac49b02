#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gmock/gmock.h>

#include "proxyxai/storage/offline.hpp"
#include "accounts/account_world.hpp"

namespace proxyxai {
namespace {

using testing::IsEmpty;

/// The rate of an account is changed while what it has used is on its way to a slow disk.
class Repricing : public testing::Test {
 protected:
  void turn() {
    world_.loop.restart();
    world_.loop.poll();
  }
  void slow_down() {
    auto dawdle = [](AccountTransaction&) { std::this_thread::sleep_for(milliseconds(200)); };
    boost::asio::co_spawn(world_.loop.get_executor(), world_.store.transact(dawdle), boost::asio::detached);
    turn();
  }
  /// Asks for rate 1000, and for `name`; comes back when the change is under way.
  void begin(const std::string& name) {
    AccountChange change;
    change.rates = 1'000 * list_rate;
    change.name = name;
    boost::asio::co_spawn(world_.loop.get_executor(), world_.service.update(world_.root, "user1", change, {}),
                          [this](std::exception_ptr failure, const AccountOutcome&) { failed_ = failure != nullptr; });
    while (user_->repricing == 0) turn();
  }
  void use(int times) {
    UsageRow row;
    row.list_cost = dollars(1);
    row.cost = scale(row.list_cost, user_->row.rates, list_rate);
    for (int i = 0; i < times; ++i) world_.ledger.note(user_, row);
  }
  void finish() {
    world_.loop.restart();
    world_.loop.run();
  }

  AccountWorld world_;
  AccountPtr user_ = world_.add(world_.root, "user1", dollars(100));
  std::optional<bool> failed_;
};

TEST_F(Repricing, ChargesWhatEndsMeanwhileAtTheNewRateAndWhatEndedBeforeAtTheOld) {
  slow_down();
  use(1);
  turn();
  use(2);  // waits for the first to come back from the disk
  begin("user1");
  use(40);
  UsageRow row;
  row.cost = row.list_cost = dollars(1);
  std::optional<bool> stored;
  boost::asio::co_spawn(world_.loop.get_executor(), world_.ledger.charge(user_, row), [&stored](std::exception_ptr, bool done) { stored = done; });
  turn();
  EXPECT_EQ(user_->balance(), dollars(56)) << "nothing is free while it waits";
  finish();
  EXPECT_EQ(failed_, false);
  EXPECT_EQ(stored, true);
  EXPECT_EQ(user_->balance(), dollars(1'000 * (100 - 3 - 41)));
  EXPECT_EQ(world_.number("SELECT SUM(cost) FROM requests"), dollars(3 + 41'000).nanos);
  EXPECT_EQ(user_->uncommitted, 0);
  EXPECT_EQ(user_->parked, 0);
  EXPECT_TRUE(world_.use(user_, dollars(5)));
  EXPECT_THAT(check_database(world_.directory.path()), IsEmpty());
}

TEST_F(Repricing, ThatIsRefusedLeavesCostsAsTheyWere) {
  slow_down();
  begin("root");
  use(40);
  finish();
  EXPECT_EQ(failed_, true) << "the name is taken";
  EXPECT_EQ(user_->balance(), dollars(60));
  EXPECT_EQ(user_->repricing, 0);
  EXPECT_EQ(world_.number("SELECT SUM(cost) FROM requests"), dollars(40).nanos);
}

TEST_F(Repricing, OfAnAccountThatIsBeingDeletedEndsBeforeIt) {
  slow_down();
  begin("user1");
  use(40);
  std::optional<bool> deleted;
  boost::asio::co_spawn(world_.loop.get_executor(), world_.service.remove(world_.root, "user1", {}),
                        [&deleted](std::exception_ptr failure, const AccountOutcome&) { deleted = failure == nullptr; });
  finish();
  EXPECT_EQ(failed_, false);
  EXPECT_EQ(deleted, true);
  EXPECT_EQ(world_.number("SELECT SUM(amount) FROM transfers WHERE kind = 'refund'"), dollars(60'000).nanos);
  EXPECT_THAT(check_database(world_.directory.path()), IsEmpty());
}

TEST_F(Repricing, OfAnAccountDoesNotHoldUpOthers) {
  const AccountPtr other = world_.add(world_.root, "other", dollars(100));
  slow_down();
  begin("user1");
  use(1);
  UsageRow row;
  row.cost = row.list_cost = dollars(1);
  world_.ledger.note(other, row);
  EXPECT_EQ(other->parked, 0);
  EXPECT_EQ(world_.ledger.waiting(), 1u);
  finish();
  EXPECT_EQ(other->balance(), dollars(99));
}

TEST_F(Repricing, TwiceAtOneTimeChargesAtTheLastRate) {
  slow_down();
  begin("user1");
  use(1);
  AccountChange change;
  change.rates = 10 * list_rate;
  boost::asio::co_spawn(world_.loop.get_executor(), world_.service.update(world_.root, "user1", change, {}), boost::asio::detached);
  while (user_->repricing < 2) turn();
  finish();
  EXPECT_EQ(user_->row.rates, 10 * list_rate);
  EXPECT_EQ(user_->balance(), dollars(990));
  EXPECT_EQ(user_->parked, 0);
}

}  // namespace
}  // namespace proxyxai
