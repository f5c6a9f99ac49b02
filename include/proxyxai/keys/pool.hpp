#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/base/attempt.hpp"
#include "proxyxai/base/clock.hpp"
#include "proxyxai/keys/lease.hpp"
#include "proxyxai/keys/upstream_key.hpp"

namespace proxyxai {

/// Health of a whole key. `cooling` and `excluded` exist per (key, model) or (key, endpoint): see KeyHealth::limits.
enum class KeyState : std::uint8_t { active, resting, exhausted, dead, disabled };
const char* to_string(KeyState state);
std::optional<KeyState> parse_key_state(std::string_view text);

/// One narrowed right of a key: cooling for a model, or excluded from a model or an endpoint.
struct KeyLimit {
  enum class Kind : std::uint8_t { cooling, excluded_model, excluded_endpoint };
  Kind kind = Kind::cooling;
  std::string subject;               ///< Model or endpoint class; for cooling an empty model means the requests without one.
  std::string reason;
  WallTime since{};
  std::optional<WallTime> until;     ///< Absent for exclusions, which end at a reload.
};

/// What is stored and shown of a key's health.
struct KeyHealth {
  KeyState state = KeyState::active;
  std::string reason;                ///< Token, e.g. `invalid_api_key`; empty when active.
  WallTime since{};
  std::optional<WallTime> until;     ///< Next half-open request or background probe, when there is one.
  std::vector<KeyLimit> limits;      ///< Only those in force.
  std::uint64_t requests = 0;        ///< Attempts made with it.
  std::uint64_t failures = 0;        ///< Attempts that ended in a fault of key or upstream.
  std::optional<WallTime> last_used;
};

/// The pool: which upstream key serves the next attempt, and what each outcome means for it.
///
/// Weighted round robin over usable keys: with K equal keys and N attempts without faults each key gets N/K ±1. State
/// machine: docs/architecture.md "The pool". Loop thread only; owns its keys; no I/O: changes of state are reported
/// through `on_change`, which KeyService persists. Sized for 10,000 keys; `choose` is O(log K) when keys are healthy.
class KeyPool {
 public:
  enum class Routing : std::uint8_t {
    round_robin,
    cache_aware,    ///< The same prompt goes to the same key, while that is healthy and not busier than others.
  };
  struct Settings {
    Routing routing = Routing::round_robin; ///< ROUTING
    milliseconds max_wait{5'000};           ///< Longest wait for the earliest cooling key (KEYS_MAX_WAIT).
    unsigned strikes = 3;                   ///< Consecutive upstream faults, while others succeed, before a rest.
    milliseconds rest{15'000};              ///< First rest; doubles with each failed half-open request up to 10 min.
    milliseconds probe_interval{300'000};   ///< First background probe of an exhausted key; doubles up to 6 h.
    milliseconds default_cooling{1'000};    ///< When upstream gives no time; doubles per repeat up to 1 min.
  };
  /// Called on the loop thread when the stored part of a key's health has changed (not for counters).
  using OnChange = std::function<void(KeyId, const KeyHealth&)>;

  KeyPool(const Clock& clock, Settings settings);
  ~KeyPool();
  KeyPool(const KeyPool&) = delete;
  KeyPool& operator=(const KeyPool&) = delete;

  void on_change(OnChange callback);

  struct Wanted {
    std::string_view model;               ///< Empty when the request names none.
    std::string_view endpoint;            ///< Endpoint class, e.g. `chat/completions`, `files`.
    std::span<const KeyId> tried = {};    ///< Keys this request has tried; given again only when no other is left.
    std::optional<KeyId> only = {};       ///< It alone holds what the request names: this key or none, even tried, resting or exhausted.
    std::optional<KeyId> preferred = {};  ///< Taken when it is usable now and not tried.
    std::uint64_t prompt = 0;             ///< Hash of what upstream may have cached of it; 0: nothing.
    std::int64_t tokens = 0;              ///< What it may use: an estimate, for keys that have a limit of tokens.
  };
  /// Why the only key cannot serve, beyond limits that pass.
  enum class Absence : std::uint8_t {
    none,
    gone,           ///< Dead, or not in the pool.
    disabled,
  };
  struct Choice {
    KeyLease lease;                       ///< Set: use its key. The caller must `report` exactly once, and end it with the request.
    bool tried_before = false;            ///< Only keys that this request already tried are usable.
    std::optional<Instant> ready_at;      ///< No key now, but the earliest that cools or is at its limit may be back then.
    Absence absence = Absence::none;
    std::string reason;                   ///< Token of the absence, e.g. `invalid_api_key`; empty: the key is not in the pool.
  };
  /// The next key for one attempt. Neither `lease` nor `ready_at` set: no usable key at all.
  Choice choose(const Wanted& wanted);

  /// True when a key is usable for `wanted` that is not among `wanted.tried`; of an only key never.
  [[nodiscard]] bool untried_left(const Wanted& wanted) const;

  /// The end of an attempt made with a chosen key (also when it was deleted meanwhile).
  void report(const Attempt& attempt, std::string_view model, std::string_view endpoint);

  /// How an answer ended whose head was reported as good: whole, or broken off by upstream, which is a strike against the key. After
  /// one, its good heads clear no strikes until an answer is whole; behind its rest the next good head makes it active again.
  void report_body(KeyId key, bool is_whole);

  /// Known capacity from a good answer: the key is passed over for `model` until `reset` when something is at zero.
  void note_zero_remaining(KeyId key, std::string_view model, milliseconds reset);

  /// Result of a background or asked-for probe (Fault::none heals exhausted and resting).
  void report_probe(const Attempt& attempt);

  /// Adds a key, or replaces what is known of it while its health stays when `health` is nullopt.
  void put(UpstreamKeyPtr key, std::optional<KeyHealth> health);
  /// Forgets a key; requests in flight keep theirs alive.
  void remove(KeyId id);
  /// Sets or lifts `disabled`.
  void set_enabled(KeyId id, bool enabled, std::string_view reason);
  /// Ends the exclusions of every key: a reload gives each model and endpoint another chance.
  void lift_exclusions();

  [[nodiscard]] std::optional<KeyHealth> health(KeyId id) const;
  [[nodiscard]] UpstreamKeyPtr find(KeyId id) const;
  [[nodiscard]] std::vector<KeyId> ids() const;
  /// Exhausted keys whose probe is due; each is returned once until `report_probe`.
  std::vector<UpstreamKeyPtr> due_probes();
  /// Number of keys in each state, indexed by KeyState, for metrics.
  [[nodiscard]] std::array<std::size_t, 5> counts() const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace proxyxai
