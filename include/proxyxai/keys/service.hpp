#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "proxyxai/base/task.hpp"
#include "proxyxai/keys/pool.hpp"
#include "proxyxai/keys/prober.hpp"
#include "proxyxai/keys/seal.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {

/// A key as an operator gives it.
struct NewKey {
  Secret secret;
  std::string name;
  std::string provider;   ///< Canonical URL; empty: OPENAI_API_BASE, also when that changes.
  int level = 0;
  unsigned weight = 1;
  KeyQuota quota;
  bool enabled = true;
};

/// The row of a key that has not been stored yet, its secret sealed.
KeyRow make_row(NewKey key, const Sealer& sealer, WallTime now);

/// What an operator may change of a key; absent: stays.
struct KeyChange {
  std::optional<std::string> name, provider;
  std::optional<int> level;
  std::optional<unsigned> weight;
  std::optional<std::int64_t> rpm, tpm, concurrency;
  std::optional<bool> enabled;
};

/// A key as it may be shown.
struct KeyView {
  KeyId id = 0;
  std::string name, provider, partial;
  int level = 0;
  unsigned weight = 1;
  KeyQuota quota;
  WallTime created_at{};
  KeyHealth health;
  std::uint64_t requests_here = 0, failures_here = 0;  ///< What of health.requests and .failures is of this run of the program.
};

/// Keeps the pool and the database of upstream keys together: loads, adds, changes, probes, persists health, and removes
/// what has been dead for seven days. Loop thread only.
class KeyService {
 public:
  struct Settings {
    std::string default_provider;                ///< OPENAI_API_BASE, as a URL.
    milliseconds reload_interval{7'200'000};
  };
  KeyService(Executor executor, KeyStore& store, KeyPool& pool, const Sealer& sealer, Prober& prober, const Clock& clock,
             Settings settings);

  /// Fills the pool from the database; `initial` is stored when the database has no key yet. Throws Failure when stored
  /// secrets do not open with this master key.
  Task<void> load(std::vector<NewKey> initial);
  /// Reads the database again: what another process added or removed counts, exclusions end.
  Task<void> reload();

  struct Added {
    std::vector<KeyView> keys;                   ///< In the order given; those stored already as they are.
    std::size_t added = 0, existing = 0;
    struct Rejected {
      std::string partial, reason;
      bool was_asked = true;                     ///< False: upstream was not reached, so that nobody knows.
    };
    std::vector<Rejected> rejected;              ///< Not stored: dead by upstream's own word, or not verified; only with `verify`.
  };
  /// Stores new keys, all in one transaction, and puts them in the pool at once. `verify`: asks upstream first.
  Task<Added> add(std::vector<NewKey> keys, bool verify);
  /// Null: no such key.
  Task<std::optional<KeyView>> update(KeyId id, KeyChange change);
  Task<std::optional<KeyView>> remove(KeyId id);
  /// Asks upstream now, with a call that needs credit when the key is out for want of it.
  Task<std::optional<KeyView>> probe(KeyId id);

  [[nodiscard]] std::vector<KeyView> list() const;
  [[nodiscard]] std::optional<KeyView> find(KeyId id) const;

  /// Does what is due: probes, saves, reloads, sweeps. To be called at least once a second; returns at once.
  void tick(Instant now);
  /// Saves the health that has changed and the counters of every key.
  Task<void> save_all();

 private:
  [[nodiscard]] std::string provider_of(const KeyRow& row) const;
  [[nodiscard]] UpstreamKeyPtr open(const KeyRow& row) const;
  [[nodiscard]] KeyView view_of(const KeyRow& row) const;
  void put(const KeyRow& row, bool keep_health);
  void drop(KeyId id);
  Task<void> save(std::vector<KeyId> ids);
  Task<void> probe_in_background(UpstreamKeyPtr key);
  Task<void> sweep();
  void spawn(Task<void> task, const char* what);

  const Executor executor_;
  KeyStore& store_;
  KeyPool& pool_;
  const Sealer& sealer_;
  Prober& prober_;
  const Clock& clock_;
  const Settings settings_;
  struct Counts {
    std::uint64_t requests = 0, failures = 0;
  };
  std::map<KeyId, KeyRow> rows_;        // without the sealed secrets
  std::unordered_map<KeyId, Counts> earlier_;  // what keys had been used for before this run
  std::unordered_set<KeyId> changed_;   // health to be saved
  bool saving_ = false;
  Instant next_save_{}, next_counters_{}, next_reload_{}, next_sweep_{};
};

/// Health as stored.
std::string to_json(const KeyHealth& health);
/// What cannot be read is a healthy key: its first request tells better.
KeyHealth health_from_json(std::string_view text);

}  // namespace proxyxai
