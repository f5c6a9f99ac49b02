#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "proxyxai/base/digest.hpp"
#include "proxyxai/base/task.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {

/// What a request needs to know of the account that makes it. Immutable; shared by the requests in flight.
struct Account {
  std::int64_t id = 0;
  std::string name;
  bool is_root = false;
  bool enabled = true;
};
using AccountPtr = std::shared_ptr<const Account>;

/// Accounts by virtual key: a bounded memory of recently used ones in front of the store. Keyed by the SHA-256 of the
/// whole key, never by a part of it. Loop thread only.
class AccountDirectory {
 public:
  /// `capacity`: how many accounts are kept in memory; the least recently used goes first.
  explicit AccountDirectory(AccountStore& store, std::size_t capacity = 100'000);
  ~AccountDirectory();

  /// The account in memory, or null: the hot path, no coroutine and no allocation.
  [[nodiscard]] AccountPtr find_cached(const Digest& key_digest);
  /// Reads through to the store. Null when no account has this key. Concurrent look-ups of one key are one query.
  Task<AccountPtr> find(Digest key_digest);
  /// Forgets what is in memory of this key, so that a rotation or disabling counts at once.
  void forget(const Digest& key_digest);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace proxyxai
