#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proxyxai/accounts/account.hpp"
#include "proxyxai/base/digest.hpp"
#include "proxyxai/base/task.hpp"

namespace proxyxai {

/// Accounts in memory: a bounded number of recently used ones in front of the store, each with its ancestors. Keyed by the
/// SHA-256 of the whole key, never by a part of it. There is never a second object of an account while the first is in use.
/// Loop thread only.
class AccountDirectory {
 public:
  /// `capacity`: how many accounts are kept in memory; the least recently used goes first.
  explicit AccountDirectory(AccountStore& store, std::size_t capacity = 50'000);
  ~AccountDirectory();
  AccountDirectory(const AccountDirectory&) = delete;
  AccountDirectory& operator=(const AccountDirectory&) = delete;

  /// The account in memory, or null: the hot path, no coroutine and no allocation.
  [[nodiscard]] AccountPtr find_cached(const Digest& key_digest);
  /// Reads through to the store. Null when no account has this key. Concurrent look-ups of one key are one query.
  Task<AccountPtr> find(Digest key_digest);
  /// By id; null: there is none, or it was deleted.
  Task<AccountPtr> find(AccountId id);
  /// The account if it is in memory.
  [[nodiscard]] AccountPtr loaded(AccountId id) const;
  /// What all accounts in memory have promised to requests in flight; looks at each of them.
  [[nodiscard]] Money held() const;

  /// Takes over what a transaction has stored of an account; a key that changed stops at once.
  void apply(const AccountRow& stored);
  /// The account is deleted.
  void remove(const AccountRow& stored);
  /// Forgets what is in memory of this key, so that a rotation or disabling counts at once.
  void forget(const Digest& key_digest);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace proxyxai
