#include "proxyxai/accounts/ledger.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include "proxyxai/base/log.hpp"

namespace proxyxai {
namespace asio = boost::asio;

namespace {

// Credit that has expired can be spent until the next upkeep.
constexpr seconds roll_interval{5}, upkeep_interval{1}, forgetting_interval{60}, month_interval{1};
constexpr std::chrono::microseconds longest_gathering{2'000};
// Nothing is committed while a step of a roll-up works.
constexpr std::size_t most_in_one_roll = 500, most_requests_in_one_roll = 2'000;
constexpr std::size_t most_unstored = 100'000;
constexpr std::size_t most_forgotten = 2'000;
constexpr std::size_t most_expired = 200;
constexpr seconds answers_kept{86'400};

/// Takes the requests of an account into its book, and lets `change` act on it. Adds the row as it was saved; none: it is gone.
void bring_up_to_date(AccountTransaction& transaction, AccountId account, WallTime now, std::vector<AccountRow>& saved,
                      const UsageSum* known = nullptr, const std::function<void(Book&)>& change = {}) {
  auto row = transaction.account(account);
  if (!row) return;
  Book book(transaction, std::move(*row), now, known);
  if (change) change(book);
  book.save();
  saved.push_back(std::move(book.row()));
}

}  // namespace

Ledger::Ledger(asio::io_context& loop, AccountStore& store, AccountDirectory& accounts, Clock& clock, Settings settings)
    : loop_(loop), store_(store), accounts_(accounts), clock_(clock), settings_(settings), month_(month_of(clock.wall_now())) {}

Ledger::~Ledger() {
  Money owed;
  for (const Pending& each : unstored_) owed += each.row.cost;
  if (!unstored_.empty()) spdlog::error("{} requests for ${} could not be stored and are lost with this process", unstored_.size(), to_decimal(owed));
}

Task<void> Ledger::start(std::vector<std::string> paths) {
  for (std::string& each : paths) co_await learn(std::move(each));
  std::map<AccountId, UsageSum> left_behind;
  std::int64_t last = 0;
  auto look = [&](AccountTransaction& transaction) {
    left_behind = transaction.usage_not_rolled_up();
    last = transaction.last_request();
  };
  co_await store_.transact(std::move(look));
  last_id_ = last_committed_ = marked_ = last;
  month_ = current_month();
  if (const WallTime newest = time_of_request(last); newest > clock_.wall_now() + std::chrono::minutes(1)) {
    spdlog::warn("the clock is behind the newest request in the books, of {}: until then, what is charged counts as of that time", to_rfc3339(newest));
  }
  const WallTime now = clock_.wall_now();
  for (auto next = left_behind.cbegin(); next != left_behind.cend();) {
    auto work = [&next, end = left_behind.cend(), now](AccountTransaction& transaction) {
      std::vector<AccountRow> saved;
      for (; next != end && saved.size() < most_in_one_roll; ++next) bring_up_to_date(transaction, next->first, now, saved, &next->second);
    };
    co_await store_.transact(std::move(work));
  }
  auto mark = [last](AccountTransaction& transaction) { transaction.set_mark(AccountTransaction::rolled_up, last); };
  co_await store_.transact(std::move(mark));
}

std::int64_t Ledger::word(std::string_view text) const {
  if (text.empty()) return 0;
  const auto found = words_.find(text);
  return found == words_.end() ? 0 : found->second;
}

Task<std::int64_t> Ledger::learn(std::string text) {
  if (text.empty()) co_return 0;
  if (const std::int64_t known = word(text); known != 0) co_return known;
  if (words_.size() >= most_words) co_return 0;
  const std::int64_t id = co_await store_.word(text);
  words_[text] = id;
  co_return id;
}

void Ledger::submit(Pending pending) {
  Account& account = *pending.account;
  pending.month = month_;
  account.charge(pending.row.cost, month_);
  ++account.uncommitted;
  if (account.repricing > 0) {
    ++account.parked;
    pending.rate = account.row.rates;
    parked_.push_back(std::move(pending));
    return;
  }
  const std::int64_t now = to_unix_ms(clock_.wall_now()) * 1'000;
  last_id_ = std::max(last_id_ + 1, now);
  pending.row.id = last_id_;
  pending.row.account_id = account.row.id;
  waiting_.push_back(std::move(pending));
  if (committing_) return;
  committing_ = true;
  // From the loop, so that what ends in the same turn goes with it.
  asio::co_spawn(loop_.get_executor(), commit_loop(), [this](std::exception_ptr failure) {
    committing_ = false;
    log_failure("committing requests", failure);
  });
}

Task<bool> Ledger::charge(AccountPtr account, UsageRow row) {
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(bool)>(
      [this, account = std::move(account), row = std::move(row)](Waiter waiter) mutable {
        submit({std::move(row), std::move(account), std::move(waiter)});
      },
      use_task);
}

void Ledger::note(AccountPtr account, UsageRow row) { submit({std::move(row), std::move(account), std::nullopt}); }

void Ledger::begin_repricing(const AccountPtr& account) { ++account->repricing; }

void Ledger::end_repricing(const AccountPtr& account) {
  if (--account->repricing > 0) return;
  for (Pending& each : std::exchange(parked_, {})) {
    if (each.account != account) {
      parked_.push_back(std::move(each));
      continue;
    }
    --account->parked;
    --account->uncommitted;
    account->take_back(each.row.cost, each.month);
    const Rate rate = account->row.rates;
    if (each.rate != rate) each.row.cost = std::min(scale(each.row.list_cost, rate, list_rate), most_money);
    submit(std::move(each));
  }
}

/// Waits while each turn of the loop ends more requests: a busy loop commits less often, an idle one at once.
Task<void> Ledger::gather() {
  const Instant end = clock_.now() + longest_gathering;
  for (std::size_t seen = 0; seen != waiting_.size() && clock_.now() < end;) {
    seen = waiting_.size();
    co_await asio::post(loop_.get_executor(), use_task);
  }
}

Task<void> Ledger::commit_loop() {
  // Gives its memory back to those who wait next.
  std::vector<Pending> batch;
  while (!waiting_.empty()) {
    co_await gather();
    batch.clear();
    batch.swap(waiting_);
    bool stored = false;
    auto work = [&batch](AccountTransaction& transaction) {
      std::vector<const UsageRow*> rows;
      rows.reserve(batch.size());
      for (const Pending& each : batch) rows.push_back(&each.row);
      transaction.add(rows);
    };
    try {
      stored = co_await store_.transact(std::move(work));
    } catch (const std::exception& error) {
      spdlog::error("the cost of {} requests could not be stored: {}", batch.size(), error.what());
    }
    settle(batch, stored);
  }
}

void Ledger::set_healthy(bool is_healthy) {
  if (is_healthy && !healthy_) spdlog::info("what requests cost can be stored again");
  healthy_ = is_healthy;
}

void Ledger::settle(std::vector<Pending>& batch, bool stored) {
  set_healthy(stored);
  for (Pending& each : batch) {
    if (!stored && !each.waiter && each.row.cost.nanos > 0 && unstored_.size() < most_unstored) {
      // Nobody can be refused any more: it is owed, and stored when that is possible again.
      unstored_.push_back(std::move(each));
      continue;
    }
    --each.account->uncommitted;
    if (stored) {
      last_committed_ = each.row.id;
      const auto [entry, is_new] = dirty_.try_emplace(each.account->row.id);
      Dirty& dirty = entry->second;
      if (is_new) {
        dirty.account = each.account;
        dirty.usage.after = each.account->row.rolled_to;
      }
      dirty.usage.add(each.row, calendar_.day_of(time_of_request(each.row.id)));
      if (++dirty.requests >= settings_.roll_up_after) next_roll_ = {};
      if (dirty.usage.requests.size() == most_requests_in_one_roll) roll_alone(each.account);
      if (on_charged_) on_charged_(each.account);
    } else {
      each.account->take_back(each.row.cost, each.month);
    }
  }
  for (Pending& each : batch) {
    if (each.waiter) std::move (*each.waiter)(stored);
  }
}

Task<void> Ledger::transact(std::function<std::vector<AccountRow>(AccountTransaction&)> work) {
  std::vector<AccountRow> rows;
  auto job = [&rows, work = std::move(work)](AccountTransaction& transaction) { rows = work(transaction); };
  co_await store_.transact(std::move(job));
  for (const AccountRow& each : rows) {
    accounts_.apply(each);
    const auto dirty = dirty_.find(each.id);
    if (dirty == dirty_.end()) continue;
    if (dirty->second.usage.last <= each.rolled_to) dirty_.erase(dirty);
    else dirty->second.requests = 0;
  }
}

Task<void> Ledger::roll(std::vector<AccountPtr> accounts, std::optional<std::int64_t> mark) {
  const WallTime now = clock_.wall_now();
  std::vector<std::pair<AccountId, UsageSum>> known;
  for (const AccountPtr& each : accounts) {
    const auto dirty = dirty_.find(each->row.id);
    if (dirty == dirty_.end()) continue;
    UsageSum& usage = dirty->second.usage;
    UsageSum rest;
    rest.after = rest.last = usage.last;
    known.emplace_back(each->row.id, std::exchange(usage, std::move(rest)));
  }
  auto work = [known = std::move(known), mark, now](AccountTransaction& transaction) {
    std::vector<AccountRow> saved;
    for (const auto& [account, usage] : known) bring_up_to_date(transaction, account, now, saved, &usage);
    if (mark) transaction.set_mark(AccountTransaction::rolled_up, *mark);
    return saved;
  };
  co_await transact(std::move(work));
  marked_ = std::max(marked_, mark.value_or(0));
  for (const AccountPtr& each : accounts) {
    if (each->is_gone) dirty_.erase(each->row.id);
  }
}

void Ledger::roll_alone(const AccountPtr& account) {
  asio::co_spawn(loop_.get_executor(), roll({account}, std::nullopt), [](std::exception_ptr failure) { log_failure("rolling up", failure); });
}

Task<void> Ledger::roll_up(std::function<bool(const Account&)> wanted) {
  std::vector<std::pair<AccountPtr, std::size_t>> accounts;
  const std::int64_t mark = last_committed_;
  for (const auto& [id, dirty] : dirty_) {
    if (!wanted || wanted(*dirty.account)) accounts.emplace_back(dirty.account, dirty.usage.requests.size());
  }
  if (accounts.empty() && (wanted || marked_ == mark)) co_return;
  // In the order of the tables they go to, where neighbours share pages.
  std::sort(accounts.begin(), accounts.end(), [](const auto& a, const auto& b) { return a.first->row.id < b.first->row.id; });
  auto next = accounts.begin();
  do {
    std::vector<AccountPtr> part;
    for (std::size_t requests = 0; next != accounts.end() && part.size() < most_in_one_roll && requests < most_requests_in_one_roll; ++next) {
      requests += next->second;
      part.push_back(std::move(next->first));
    }
    // With the last part everything up to the mark is taken in.
    const std::optional<std::int64_t> reached = next == accounts.end() && !wanted ? std::optional(mark) : std::nullopt;
    co_await roll(std::move(part), reached);
  } while (next != accounts.end());
}

Task<void> Ledger::upkeep(bool forgets) {
  const WallTime now = clock_.wall_now();
  const std::int64_t oldest = to_unix_ms(now - std::chrono::hours(24 * settings_.retention_days)) * 1'000;
  std::vector<AccountId> expired;
  std::size_t forgotten = 0;
  auto sweep = [&expired, &forgotten, forgets, now, oldest](AccountTransaction& transaction) {
    if (forgets) {
      const std::size_t requests = transaction.forget_requests(oldest, most_forgotten);
      const std::size_t operations = transaction.forget_operations(time_of_request(oldest), most_forgotten);
      forgotten = std::max(requests, operations);
      transaction.forget_answers(now - answers_kept);
    }
    expired = transaction.with_expired_cards(now, most_expired);
  };
  co_await store_.transact(std::move(sweep));
  // There are more: the next step soon, or the file would grow under steady load.
  if (forgotten == most_forgotten) next_forgetting_ = {};
  if (expired.empty()) co_return;
  std::unordered_map<AccountId, Money> held;
  for (const AccountId each : expired) {
    const AccountPtr account = accounts_.loaded(each);
    held[each] = account ? account->held : Money{};
  }
  auto work = [expired, held, now](AccountTransaction& transaction) {
    std::vector<AccountRow> saved;
    const auto expire = [&held](Book& book) { book.expire_cards(held.at(book.row().id)); };
    for (const AccountId each : expired) bring_up_to_date(transaction, each, now, saved, nullptr, expire);
    return saved;
  };
  co_await transact(std::move(work));
}

Task<void> Ledger::probe() {
  auto write = [](AccountTransaction& transaction) { transaction.set_mark("probe", transaction.mark("probe") + 1); };
  const bool is_stored = co_await store_.transact(std::move(write));
  set_healthy(is_stored);
  for (Pending& each : std::exchange(unstored_, {})) {
    --each.account->uncommitted;
    each.account->take_back(each.row.cost, each.month);
    submit(std::move(each));
  }
}

/// That of the newest request, where the clock has gone back behind it: no month has its limit twice.
std::int32_t Ledger::current_month() const { return month_of(std::max(clock_.wall_now(), time_of_request(last_id_))); }

void Ledger::tick(Instant now) {
  if (now >= next_month_) {
    next_month_ = now + month_interval;
    month_ = current_month();
    if (!healthy_ && !committing_) {
      asio::co_spawn(loop_.get_executor(), probe(), [](std::exception_ptr failure) { log_failure("writing to the ledger", failure); });
    }
  }
  if (now >= next_roll_ && !rolling_ && marked_ != last_committed_) {
    next_roll_ = now + roll_interval;
    rolling_ = true;
    asio::co_spawn(loop_.get_executor(), roll_up(), [this](std::exception_ptr failure) {
      rolling_ = false;
      log_failure("rolling up", failure);
    });
  }
  if (now >= next_upkeep_ && !keeping_up_) {
    next_upkeep_ = now + upkeep_interval;
    const bool forgets = now >= next_forgetting_;
    if (forgets) next_forgetting_ = now + forgetting_interval;
    keeping_up_ = true;
    asio::co_spawn(loop_.get_executor(), upkeep(forgets), [this](std::exception_ptr failure) {
      keeping_up_ = false;
      log_failure("upkeep of the ledger", failure);
    });
  }
}

}  // namespace proxyxai
