#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxyxai/accounts/book.hpp"
#include "proxyxai/accounts/directory.hpp"
#include "proxyxai/base/task.hpp"
#include "proxyxai/base/text_hash.hpp"

namespace proxyxai {

/// Writes what requests cost, many with one commit, and keeps the accounts in memory and in the store of one mind.
///
/// A request is one row, which is also its movement of money. Cards, totals and daily sums of an account take its rows in later
/// ("rolling up"): after `roll_up_after` requests, within seconds, before anybody changes or is shown the account, and after a crash at
/// the start. In between, `Account::used_total` knows. Loop thread only.
class Ledger {
 public:
  struct Settings {
    std::int64_t roll_up_after = 100;    ///< STATS_INTERVAL: requests of an account.
    std::int64_t retention_days = 90;    ///< RETENTION_DAYS: single requests and operations are kept so long.
  };
  Ledger(boost::asio::io_context& loop, AccountStore& store, AccountDirectory& accounts, Clock& clock, Settings settings);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// Takes in the rows that a crash has left behind; learns the words for `paths`. Once, before serving.
  Task<void> start(std::vector<std::string> paths);

  /// The number that stands for a word in rows; 0: not known yet, ask `learn`. At most `most_words` are learnt, the rest is 0.
  [[nodiscard]] std::int64_t word(std::string_view text) const;
  Task<std::int64_t> learn(std::string text);
  static constexpr std::size_t most_words = 20'000;

  /// Charges the account in memory at once, and stores the row; true once it is committed, false when it could not be, and
  /// then the charge is taken back. `row.cost` is at the account's rate of this moment.
  Task<bool> charge(AccountPtr account, UsageRow row);
  /// The same for a row that nobody waits for; one that cannot be stored is kept and tried again.
  void note(AccountPtr account, UsageRow row);

  /// Until `end_repricing`, charges of the account are set aside: a change of its rate must find in the store all that was charged at
  /// the old one, which is so when `uncommitted` is down to `parked`, and nothing that comes later. Both once for each change.
  static void begin_repricing(const AccountPtr& account);
  /// What was set aside is charged at the rate the account has by now.
  void end_repricing(const AccountPtr& account);

  /// False while the last commits failed: nothing is to be served that would have to be charged. Tried again every second.
  [[nodiscard]] bool is_healthy() const { return healthy_; }

  /// Runs `work` in a transaction; memory takes over the rows it returns, each as a Book has saved it. Throws what it throws.
  Task<void> transact(std::function<std::vector<AccountRow>(AccountTransaction&)> work);
  /// Takes in the rows of every account that has some; with `wanted`, of those it names.
  Task<void> roll_up(std::function<bool(const Account&)> wanted = {});

  /// Calls `watcher` with each account whose charge has been stored.
  void on_charged(std::function<void(const AccountPtr&)> watcher) { on_charged_ = std::move(watcher); }

  /// Called every second or so.
  void tick(Instant now);
  /// The current calendar month, as 202611. It never goes back, whatever the clock does.
  [[nodiscard]] std::int32_t month() const { return month_; }

  /// Requests that wait to be committed, and commits since the start.
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  using Waiter = boost::asio::async_result<boost::asio::use_awaitable_t<Executor>, void(bool)>::handler_type;
  struct Pending {
    UsageRow row;
    AccountPtr account;
    std::optional<Waiter> waiter;
    std::int32_t month = 0;  // it was charged to
    Rate rate = 0;  // that its cost is at, while it is parked
  };
  void submit(Pending pending);
  Task<void> commit_loop();
  Task<void> gather();
  void set_healthy(bool is_healthy);
  void settle(std::vector<Pending>& batch, bool stored);
  /// `mark`: all accounts are taken in up to there, once these are.
  Task<void> roll(std::vector<AccountPtr> accounts, std::optional<std::int64_t> mark);
  /// Of an account that is so busy that it would hold up the others.
  void roll_alone(const AccountPtr& account);
  /// Ends cards that have run out; `forgets`: also deletes what is kept no longer.
  Task<void> upkeep(bool forgets);
  Task<void> probe();
  [[nodiscard]] std::int32_t current_month() const;

  boost::asio::io_context& loop_;
  AccountStore& store_;
  AccountDirectory& accounts_;
  Clock& clock_;
  const Settings settings_;
  std::function<void(const AccountPtr&)> on_charged_;
  std::vector<Pending> waiting_;
  std::vector<Pending> unstored_;  // charged, not stored: the disk was full
  std::vector<Pending> parked_;    // charged, but their accounts' rates are being changed
  bool committing_ = false, rolling_ = false, keeping_up_ = false;
  bool healthy_ = true;
  std::int64_t last_id_ = 0, last_committed_ = 0;
  std::int64_t marked_ = 0;  // every account is taken in up to there
  std::int32_t month_ = 0;
  Instant next_roll_{}, next_upkeep_{}, next_forgetting_{}, next_month_{};
  struct Dirty {
    AccountPtr account;
    std::int64_t requests = 0;
    UsageSum usage;  // not on its way to the store yet; ends with its newest row
  };
  std::unordered_map<AccountId, Dirty> dirty_;  // have rows that are not rolled up; keeps them in memory
  LocalDays calendar_;
  TextMap<std::int64_t> words_;
};

}  // namespace proxyxai
