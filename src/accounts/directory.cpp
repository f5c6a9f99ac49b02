#include "proxyxai/accounts/directory.hpp"

#include <list>
#include <vector>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

namespace proxyxai {
namespace {

/// How long an unknown key is remembered as unknown, so that a flood of them does not reach the database; also how late
/// a key made by another process may be known.
constexpr std::chrono::seconds unknown_for{1};
constexpr std::size_t most_unknown = 10'000;

using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// A query under way, and those who wait for its end.
struct Query {
  explicit Query(Executor executor) : ended(executor, Timer::time_point::max()) {}
  Timer ended;
  bool is_stale = false;  // forgotten while it ran: its answer may be old
  AccountPtr account;
  std::exception_ptr failure;
};

}  // namespace

struct AccountDirectory::Impl {
  struct Entry {
    Digest digest;
    AccountPtr account;
  };
  AccountStore& store;
  std::size_t capacity;
  std::list<Entry> by_use;  // most recent first
  std::unordered_map<Digest, std::list<Entry>::iterator, DigestHash> known;
  std::unordered_map<Digest, std::chrono::steady_clock::time_point, DigestHash> unknown;
  std::unordered_map<Digest, std::shared_ptr<Query>, DigestHash> queries;

  void remember(const Digest& digest, AccountPtr account) {
    if (!account) {
      if (unknown.size() >= most_unknown) unknown.clear();
      unknown[digest] = std::chrono::steady_clock::now() + unknown_for;
      return;
    }
    if (known.contains(digest)) return;
    by_use.push_front({digest, std::move(account)});
    known[digest] = by_use.begin();
    if (by_use.size() <= capacity) return;
    known.erase(by_use.back().digest);
    by_use.pop_back();
  }
};

AccountDirectory::AccountDirectory(AccountStore& store, std::size_t capacity)
    : impl_(std::make_unique<Impl>(Impl{store, capacity, {}, {}, {}, {}})) {}
AccountDirectory::~AccountDirectory() = default;

AccountPtr AccountDirectory::find_cached(const Digest& key_digest) {
  const auto found = impl_->known.find(key_digest);
  if (found == impl_->known.end()) return nullptr;
  impl_->by_use.splice(impl_->by_use.begin(), impl_->by_use, found->second);
  return found->second->account;
}

Task<AccountPtr> AccountDirectory::find(Digest key_digest) {
  if (AccountPtr cached = find_cached(key_digest)) co_return cached;
  const auto unknown = impl_->unknown.find(key_digest);
  if (unknown != impl_->unknown.end()) {
    if (std::chrono::steady_clock::now() < unknown->second) co_return nullptr;
    impl_->unknown.erase(unknown);
  }
  if (const auto running = impl_->queries.find(key_digest); running != impl_->queries.end()) {
    const std::shared_ptr<Query> query = running->second;
    co_await query->ended.async_wait(use_result_task);
    if (query->failure) std::rethrow_exception(query->failure);
    co_return query->account;
  }
  const Executor executor = co_await boost::asio::this_coro::executor;
  const auto query = std::make_shared<Query>(executor);
  impl_->queries[key_digest] = query;
  try {
    const std::optional<AccountRow> row = co_await impl_->store.find_by_key(key_digest);
    if (row) query->account = std::make_shared<const Account>(Account{row->id, row->name, row->is_root, row->enabled});
    if (!query->is_stale) impl_->remember(key_digest, query->account);
  } catch (...) {
    query->failure = std::current_exception();
  }
  const auto mine = impl_->queries.find(key_digest);
  if (mine != impl_->queries.end() && mine->second == query) impl_->queries.erase(mine);
  query->ended.cancel();
  if (query->failure) std::rethrow_exception(query->failure);
  co_return query->account;
}

void AccountDirectory::forget(const Digest& key_digest) {
  impl_->unknown.erase(key_digest);
  if (const auto running = impl_->queries.find(key_digest); running != impl_->queries.end()) {
    running->second->is_stale = true;
    impl_->queries.erase(running);
  }
  const auto found = impl_->known.find(key_digest);
  if (found == impl_->known.end()) return;
  impl_->by_use.erase(found->second);
  impl_->known.erase(found);
}

}  // namespace proxyxai
