#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/digest.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/base/task.hpp"

/// What the domain modules ask of a database, without naming one. Each call is a coroutine on the event loop that never
/// blocks it; a write has been committed durably when its call returns. Failures (disk full, I/O) throw StorageError.
namespace proxyxai {

/// The database could not do what was asked: a full disk, an I/O error, a lock that was not given in time, too much waiting
/// to be written. Nothing of the failed call has been stored.
class StorageError : public Failure {
 public:
  using Failure::Failure;
};

/// How much an operator lets an upstream key be used. 0: no limit.
struct KeyQuota {
  std::int64_t rpm = 0;            ///< Requests in a minute.
  std::int64_t tpm = 0;            ///< Tokens in a minute.
  std::int64_t concurrency = 0;    ///< Requests at one time.
  friend bool operator==(const KeyQuota&, const KeyQuota&) = default;
};

/// One upstream key at rest.
struct KeyRow {
  std::int64_t id = 0;             ///< 0 = not stored yet.
  Digest fingerprint{};            ///< SHA-256 of the secret: the same secret is the same key.
  std::string sealed;              ///< The secret, sealed (see keys/seal.hpp).
  std::string partial;             ///< Last 4 characters of the secret.
  std::string name;
  std::string provider;
  int level = 0;
  unsigned weight = 1;
  KeyQuota quota;
  bool enabled = true;
  std::string health;              ///< KeyHealth as JSON; what the pool resumes from.
  WallTime created_at{};
  std::optional<WallTime> died_at; ///< Set while dead; swept 7 days later.
};

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  virtual Task<std::vector<KeyRow>> load_keys() = 0;
  /// Inserts those whose fingerprint is new, in one transaction; returns all of them with ids, in order, and how many
  /// were new. A row whose fingerprint exists comes back as stored.
  struct Added {
    std::vector<KeyRow> rows;
    std::vector<bool> is_new;
  };
  virtual Task<Added> add_keys(std::vector<KeyRow> rows) = 0;
  /// Replaces name, provider, level, weight, quota, enabled. False: no such id.
  virtual Task<bool> update_key(KeyRow row) = 0;
  virtual Task<bool> delete_key(std::int64_t id) = 0;
  struct HealthUpdate {
    std::int64_t id = 0;
    std::string health;
    bool enabled = true;
    std::optional<WallTime> died_at;
  };
  virtual Task<void> save_health(std::vector<HealthUpdate> updates) = 0;
  /// Deletes keys that died before `before`; returns how many.
  virtual Task<std::size_t> sweep_dead(WallTime before) = 0;
};

/// A setting that root has changed while the daemon ran.
struct ConfigRow {
  std::string name, value;
};
struct ConfigChange {
  std::string name;
  std::optional<std::string> value;  ///< Nullopt: it is kept no longer.
};

class ConfigStore {
 public:
  virtual ~ConfigStore() = default;
  virtual Task<std::vector<ConfigRow>> load_config() = 0;
  /// All of them or none.
  virtual Task<void> put_config(std::vector<ConfigChange> changes) = 0;
};

}  // namespace proxyxai
