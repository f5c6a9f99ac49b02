#include "proxyxai/accounts/directory.hpp"

#include <functional>
#include <list>
#include <unordered_map>

#include <boost/asio/this_coro.hpp>

#include "proxyxai/base/timer.hpp"

namespace proxyxai {
namespace {

/// How long an unknown key is remembered as unknown, so that a flood of them does not reach the database; also how late
/// a key made by another process may be known.
constexpr std::chrono::seconds unknown_for{1};
constexpr std::size_t most_unknown = 10'000;

/// A query under way, and those who wait for its end.
struct Query {
  explicit Query(const Executor& executor) : ended(executor, Timer::time_point::max()) {}
  Timer ended;
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
  std::unordered_map<AccountId, std::weak_ptr<Account>> loaded;
  std::unordered_map<Digest, std::chrono::steady_clock::time_point, DigestHash> unknown;
  std::unordered_map<Digest, std::shared_ptr<Query>, DigestHash> queries;
  std::uint64_t changes = 0;  // a row that was read before a change is read again
  std::size_t clean_at = 1'024;

  /// The object of that row: the one there is, or a new one.
  AccountPtr object_of(const AccountRow& row, AccountPtr parent) {
    auto& kept = loaded[row.id];
    if (AccountPtr there = kept.lock()) return there;
    auto account = std::make_shared<Account>();
    account->used_total = row.credit_used;
    account->month = row.month;
    account->month_used = row.month_used;
    account->apply(row);
    account->parent = std::move(parent);
    kept = account;
    if (loaded.size() > clean_at) {
      std::erase_if(loaded, [](const auto& each) { return each.second.expired(); });
      clean_at = 1'024 + 2 * loaded.size();
    }
    return account;
  }

  void remember(const Digest& digest, const AccountPtr& account) {
    if (!account) {
      if (unknown.size() >= most_unknown) unknown.clear();
      unknown[digest] = std::chrono::steady_clock::now() + unknown_for;
      return;
    }
    unknown.erase(digest);
    if (known.contains(digest)) return;
    by_use.push_front({digest, account});
    known[digest] = by_use.begin();
    if (by_use.size() <= capacity) return;
    known.erase(by_use.back().digest);
    by_use.pop_back();
  }

  template <class Key>
  Task<AccountPtr> load(Key key) {
    for (;;) {
      const std::uint64_t before = changes;
      const std::vector<AccountRow> rows = co_await store.find_lineage(key);
      if (before != changes) continue;
      AccountPtr account;
      for (const AccountRow& each : rows) account = object_of(each, std::move(account));
      co_return account;
    }
  }
};

AccountDirectory::AccountDirectory(AccountStore& store, std::size_t capacity)
    : impl_(new Impl{store, capacity, {}, {}, {}, {}, {}}) {}
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
    query->account = co_await impl_->load(key_digest);
    // Its key may have changed while nothing but the object was in memory.
    const bool stale = query->account && query->account->row.key_digest != key_digest;
    if (stale) query->account = nullptr;
    impl_->remember(key_digest, query->account);
  } catch (...) {
    query->failure = std::current_exception();
  }
  impl_->queries.erase(key_digest);
  query->ended.cancel();
  if (query->failure) std::rethrow_exception(query->failure);
  co_return query->account;
}

Task<AccountPtr> AccountDirectory::find(AccountId id) {
  if (AccountPtr there = loaded(id)) co_return there->is_gone ? nullptr : there;
  co_return co_await impl_->load(id);
}

AccountPtr AccountDirectory::loaded(AccountId id) const {
  const auto found = impl_->loaded.find(id);
  return found == impl_->loaded.end() ? nullptr : found->second.lock();
}

Money AccountDirectory::held() const {
  Money sum;
  for (const auto& [id, known] : impl_->loaded) {
    if (const AccountPtr account = known.lock()) sum += account->held;
  }
  return sum;
}

void AccountDirectory::apply(const AccountRow& stored) {
  ++impl_->changes;
  impl_->unknown.erase(stored.key_digest);
  const AccountPtr account = loaded(stored.id);
  if (!account) return;
  if (account->row.key_digest != stored.key_digest) forget(account->row.key_digest);
  account->apply(stored);
}

void AccountDirectory::remove(const AccountRow& stored) {
  ++impl_->changes;
  forget(stored.key_digest);
  if (const AccountPtr account = loaded(stored.id)) {
    account->is_gone = true;
  }
}

void AccountDirectory::forget(const Digest& key_digest) {
  ++impl_->changes;
  impl_->unknown.erase(key_digest);
  const auto found = impl_->known.find(key_digest);
  if (found == impl_->known.end()) return;
  impl_->by_use.erase(found->second);
  impl_->known.erase(found);
}

}  // namespace proxyxai
