#include <cmath>
#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>

#include "proxyxai/storage/offline.hpp"
#include "accounts/account_world.hpp"

namespace proxyxai {
namespace {

/// An account as the database has it.
struct Stored {
  Rate rates = list_rate;
  bool is_root = false, is_deleted = false;
  std::int64_t cards = 0, overdraft = 0, unrolled = 0, entries = 0, expired = 0;
  [[nodiscard]] std::int64_t balance() const { return cards - overdraft - unrolled; }
  /// What it buys at list price, in nano-dollars.
  [[nodiscard]] double power() const { return static_cast<double>(balance()) * list_rate / static_cast<double>(rates); }
};
using World = std::map<AccountId, Stored>;

/// Callers and an account tree on which random things are done. After each, the ledger must agree with itself, with the cards,
/// and with the accounts in memory.
class LedgerProperty : public testing::TestWithParam<unsigned> {
 protected:
  LedgerProperty() : world_({}, {.roll_up_after = 7, .retention_days = 2}), random_(GetParam()) {}

  std::int64_t below(std::int64_t end) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(end)); }
  AccountPtr any() {
    auto each = live_.begin();
    std::advance(each, below(static_cast<std::int64_t>(live_.size())));
    return world_.run(world_.accounts.find(*each));
  }
  /// Amounts with all their digits, mostly small.
  Money amount() { return {below(2) == 0 ? below(30'000'000'000) + 1 : below(400) * 1'000'000'000}; }
  static double worth(Money amount, Rate rates) { return static_cast<double>(amount.nanos) * list_rate / static_cast<double>(rates); }

  World look() {
    World world;
    Statement accounts = database_->prepare(
        "SELECT id, rates, is_root, name IS NULL, (SELECT COALESCE(SUM(balance), 0) FROM cards WHERE account_id = a.id), overdraft, "
        "(SELECT COALESCE(SUM(cost), 0) FROM requests WHERE account_id = a.id AND id > a.rolled_to), "
        "(SELECT COALESCE(SUM(amount), 0) FROM transfers WHERE from_account = a.id AND to_account = -4) FROM accounts a");
    while (accounts.step()) {
      world[accounts.integer(0)] = {accounts.integer(1), accounts.integer(2) != 0, accounts.integer(3) != 0, accounts.integer(4),
                                    accounts.integer(5), accounts.integer(6), 0, accounts.integer(7)};
    }
    Statement entries = database_->prepare("SELECT account_id, SUM(amount) FROM entries GROUP BY account_id");
    sum_ = 0;
    while (entries.step()) {
      sum_ += entries.integer(1);
      if (const auto found = world.find(entries.integer(0)); found != world.end()) found->second.entries = entries.integer(1);
    }
    return world;
  }

  /// Does one thing; returns by how much what all accounts together can buy should have changed.
  double step();
  double create();
  double move();
  double change_rate();
  double remove();
  double use();
  void pass_time();

  void expect_sound(const World& before, const World& after, double expected, int number);

  AccountWorld world_;
  std::unique_ptr<Database> database_ = std::make_unique<Database>(world_.directory.file("proxyxai.db"), Database::Mode::read_only);
  std::mt19937_64 random_;
  std::set<AccountId> live_{world_.root->row.id};
  std::set<AccountId> debtors_;
  std::map<std::string, int> done_;
  std::int64_t sum_ = 0;
  int names_ = 0;
  std::string what_;
};

double LedgerProperty::create() {
  const AccountPtr parent = any();
  AccountChange wanted;
  wanted.name = "user" + std::to_string(++names_);
  wanted.email = *wanted.name + "@example.com";
  wanted.credit_granted = parent->row.is_root ? dollars(1'000 + below(9'000)) + Money{below(1'000)} : amount() + dollars(2);
  if (below(2) == 0) wanted.days = static_cast<double>(below(3'650)) / 10;
  if (below(2) == 0) wanted.rates = parent->row.rates + below(list_rate);
  what_ = "create under " + parent->row.name;
  const auto outcome = world_.run(world_.service.create(parent, wanted, {}));
  live_.insert(outcome.user.id);
  return parent->row.is_root ? worth(*wanted.credit_granted, outcome.user.rates) : 0;
}

double LedgerProperty::move() {
  const AccountPtr target = any();
  // Mostly somebody above it, at times anybody.
  AccountPtr caller = below(5) == 0 || !target->parent ? any() : target->parent;
  while (caller->parent && below(3) == 0) caller = caller->parent;
  AccountChange change;
  change.credit_granted = below(3) == 0 ? -amount() : amount();
  // Just what there is, and just more.
  if (below(5) == 0) change.credit_granted = -target->balance() - Money{below(2)};
  if (below(3) == 0) change.days = static_cast<double>(below(100)) / 10;
  what_ = caller->row.name + " gives " + target->row.name + " " + to_decimal(*change.credit_granted);
  world_.run(world_.service.update(caller, std::to_string(target->row.id), change, {}));
  if (caller->row.is_root) return worth(*change.credit_granted, target->row.rates);
  return change.credit_granted->nanos < 0 ? -worth(Money{200'000'000}, caller->row.rates) : 0;
}

double LedgerProperty::change_rate() {
  const AccountPtr target = any();
  AccountChange change;
  change.rates = target->row.rates + below(list_rate / 2) - list_rate / 4;
  what_ = target->row.name + " gets rate " + to_decimal({*change.rates});
  world_.run(world_.service.update(world_.root, target->row.name, change, {}));
  return 0;
}

double LedgerProperty::remove() {
  const AccountPtr target = any();
  const AccountPtr caller = below(2) == 0 || !target->parent ? world_.root : target->parent;
  what_ = caller->row.name + " deletes " + target->row.name;
  const Money balance = target->balance();
  const Rate rates = target->row.rates;
  world_.run(world_.service.remove(caller, target->row.name, {}));
  live_.erase(target->row.id);
  // Root takes in what is left, and issues what is owed; of anybody else only the fee is lost, and of a debt nothing.
  if (target->parent->row.is_root) return -worth(balance, rates);
  if (target->parent->balance().nanos < 0) debtors_.insert(target->parent->row.id);
  if (balance.nanos < 0) return 0;
  const Rate parents = target->parent->row.rates;
  const Money most = scale(balance, parents, rates);
  return caller->row.is_root ? 0 : -worth(std::min(Money{200'000'000}, most), parents);
}

double LedgerProperty::use() {
  const AccountPtr who = any();
  // At times all that is left, and a step more, as a stream that runs on.
  const Money available = who->available();
  if (!who->row.is_root && available.nanos <= 0) return 0;
  Money cost{below(2'000'000'000)};
  if (!who->row.is_root) cost = below(25) == 0 ? available + Money{50'000'000} : std::min(cost, available);
  what_ = who->row.name + " uses " + to_decimal(cost);
  if (!who->row.is_root && cost > available) debtors_.insert(who->row.id);
  EXPECT_TRUE(world_.use(who, cost));
  return who->row.is_root ? 0 : -worth(cost, who->row.rates);
}

void LedgerProperty::pass_time() {
  what_ = "time passes";
  world_.clock.advance(milliseconds(below(4) == 0 ? below(20) * 86'400'000 : below(7'200'000)));
  world_.tick();
}

double LedgerProperty::step() {
  double expected = 0;
  try {
    const std::int64_t dice = below(100);
    if (dice < 12) expected = create();
    else if (dice < 40) expected = move();
    else if (dice < 50) expected = change_rate();
    else if (dice < 56) expected = remove();
    else if (dice < 90) expected = use();
    else pass_time();
    ++done_[what_.substr(what_.find_first_of(' ') + 1, 4)];
  } catch (const Refused&) {
    ++done_["refused"];
  }
  world_.clock.advance(milliseconds(1));
  return expected;
}

void LedgerProperty::expect_sound(const World& before, const World& after, double expected, int number) {
  const testing::ScopedTrace trace(__FILE__, __LINE__, "step " + std::to_string(number) + ": " + what_);
  EXPECT_EQ(sum_, 0) << "entries do not sum to zero";
  double power = 0;
  for (const auto& [id, each] : after) {
    if (each.entries != each.balance()) ADD_FAILURE() << "account " << id << ": entries " << each.entries << ", balance " << each.balance();
    if (each.is_deleted && each.balance() != 0) ADD_FAILURE() << "deleted account " << id << " has " << each.balance();
    if (each.balance() < 0 && !each.is_root && !debtors_.contains(id)) ADD_FAILURE() << "account " << id << " has " << each.balance();
    if (each.cards > 0 && each.overdraft > 0) ADD_FAILURE() << "account " << id << " owes and has cards";
    if (const AccountPtr loaded = world_.accounts.loaded(id); loaded && !loaded->is_gone && loaded->balance().nanos != each.balance()) {
      ADD_FAILURE() << "account " << id << ": in memory " << loaded->balance().nanos << ", stored " << each.balance();
    }
    const auto previous = before.find(id);
    const Stored none;
    const Stored& was = previous == before.end() ? none : previous->second;
    if (each.is_root) continue;
    power += each.power() - was.power();
    expected -= static_cast<double>(each.expired - was.expired) * list_rate / static_cast<double>(each.rates);
  }
  EXPECT_NEAR(power, expected, 100) << "what all accounts can buy has changed by another amount (nano-dollars)";
}

TEST_P(LedgerProperty, HoldsWhateverIsDone) {
  World before = look();
  for (int number = 0; number < 2'000 && !HasFailure(); ++number) {
    const double expected = step();
    World after = look();
    expect_sound(before, after, expected, number);
    before = std::move(after);
  }
  world_.run(world_.ledger.roll_up());
  expect_sound(before, look(), 0, -1);
  EXPECT_GT(live_.size(), 10u);
  EXPECT_GT(world_.number("SELECT COUNT(*) FROM transfers WHERE kind = 'expiry'"), 0);
  EXPECT_GT(world_.number("SELECT COUNT(*) FROM transfers WHERE kind = 'take_back'"), 10);
  EXPECT_GT(world_.number("SELECT COUNT(*) FROM transfers WHERE kind = 'rate_change'"), 10);
  EXPECT_GT(world_.number("SELECT COUNT(*) FROM transfers WHERE kind = 'refund'"), 0);
  EXPECT_GT(world_.number("SELECT value FROM marks WHERE name = 'operations forgotten'"), 0);
  EXPECT_THAT(check_database(world_.directory.path()), testing::IsEmpty());
  EXPECT_GT(world_.number("SELECT COUNT(*) FROM accounts WHERE level > 2"), 3);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LedgerProperty, testing::Values(1, 2, 3));

}  // namespace
}  // namespace proxyxai
