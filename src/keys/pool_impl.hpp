#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "proxyxai/keys/pool.hpp"

#include "key_entry.hpp"

namespace proxyxai {

/// The pool's keys and their indexes. Choosing is in choice.cpp, the state machine in pool_report.cpp.
struct KeyPool::Impl {
  Impl(const Clock& a_clock, Settings the_settings) : clock(a_clock), settings(the_settings) {}
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  const Clock& clock;
  const Settings settings;
  OnChange changed;

  std::unordered_map<KeyId, std::unique_ptr<KeyEntry>> keys;
  std::map<int, Rotation> levels;
  std::set<std::pair<Instant, KeyId>> probes;  ///< Exhausted keys by the instant of their probe.
  std::array<std::size_t, 5> counts{};
  std::uint64_t events = 0;                    ///< Reports so far: the order of successes and strikes.
  std::uint64_t last_success = 0;
  KeyId last_success_of = 0;

  /// What a choice would be.
  struct Pick {
    KeyEntry* entry = nullptr;
    bool tried_before = false;
    bool last_resort = false;                  ///< A resting key, because nothing else is left.
    bool out_of_turn = false;                  ///< For what the request is, not for the key's turn.
    std::optional<Instant> ready_at = {};
    Absence absence = Absence::none;
  };
  [[nodiscard]] Pick look(const Wanted& wanted, Instant now) const;
  [[nodiscard]] Pick look_at_only(const Wanted& wanted, Instant now) const;
  [[nodiscard]] KeyEntry* preferred(const Wanted& wanted, Instant now) const;
  [[nodiscard]] KeyEntry* home_of_prompt(const Wanted& wanted, const Rotation& level, Instant now) const;
  [[nodiscard]] Pick rest_ending_first(const Wanted& wanted, Instant now) const;

  [[nodiscard]] KeyEntry* entry(KeyId id) const;
  [[nodiscard]] Moment moment() const { return {clock.now(), clock.wall_now()}; }
  [[nodiscard]] KeyHealth health(const KeyEntry& entry, bool transient) const;
  [[nodiscard]] std::size_t& count(KeyState state) { return counts[static_cast<std::size_t>(state)]; }

  /// Puts the entry into the indexes that its state asks for, and takes it out of them.
  void attach(KeyEntry& entry);
  void detach(KeyEntry& entry);
  void enter_level(KeyEntry& entry, int level);
  void leave_level(KeyEntry& entry);
  void restore(KeyEntry& entry, const KeyHealth& health);

  /// Transitions; each returns true when what is stored of the key has changed.
  bool move(KeyEntry& entry, KeyState state, std::string_view reason, Instant until = {});
  bool alive(KeyEntry& entry);
  void note_success(const KeyEntry& entry);
  bool strike(KeyEntry& entry, std::string_view reason, bool half_open);
  bool exhaust(KeyEntry& entry, std::string_view reason);
  bool die(KeyEntry& entry, std::string_view reason);
  bool suspend(KeyEntry& entry, std::string_view reason);
  bool postpone_probe(KeyEntry& entry, bool doubled);
  bool apply(KeyEntry& entry, const Attempt& attempt, std::string_view model, std::string_view endpoint);

  /// Tells the owner. Last in each operation: the callback may call the pool, and the entry may be gone after it.
  void notify(const KeyEntry& entry) const;
};

}  // namespace proxyxai
