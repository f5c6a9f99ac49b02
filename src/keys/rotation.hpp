#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/keys/pool.hpp"

#include "ring.hpp"

namespace proxyxai {

struct KeyEntry;

/// A key's place in the weighted round robin: the virtual time `whole + part/parts` at which it is next due, where a
/// choice costs 1/weight. A fraction, not a float or a scaled stride, so that shares stay exact for ever.
struct Turn {
  std::uint64_t whole = 0;
  std::uint32_t part = 0;
  std::uint32_t parts = 1;     ///< The weight; part < parts.
  std::uint64_t order = 0;     ///< Among equal times, first come first served.

  [[nodiscard]] bool earlier_than(const Turn& other) const;
  /// Pays for one choice.
  void advance();
  /// Moves up to `now` when behind it, so that whoever was away is not given what it missed.
  void raise_to(const Turn& now);
  /// Keeps the time, as near as the new weight can tell it.
  void reweigh(std::uint32_t weight);
};

/// The keys of one level that can be chosen, in order of turn, and those that rest, in order of return.
class Rotation {
 public:
  struct ByTurn {
    bool operator()(const KeyEntry* a, const KeyEntry* b) const;
  };
  struct ByUntil {
    bool operator()(const KeyEntry* a, const KeyEntry* b) const;
  };
  using Ready = std::set<KeyEntry*, ByTurn>;
  using Resting = std::set<KeyEntry*, ByUntil>;

  [[nodiscard]] const Ready& ready() const { return ready_; }
  [[nodiscard]] const Resting& resting() const { return resting_; }

  void add_ready(KeyEntry& entry);
  void remove_ready(KeyEntry& entry);
  void add_resting(KeyEntry& entry) { resting_.insert(&entry); }
  void remove_resting(KeyEntry& entry) { resting_.erase(&entry); }
  /// Counts the choice of a ready entry; allocates nothing.
  void take(KeyEntry& entry);
  /// Counts a choice that was made for another reason than its turn, which comes the later for it.
  void take_out_of_turn(KeyEntry& entry);

  /// Whether the ready entry would not be busier than the others by much if it were chosen.
  [[nodiscard]] bool has_room(const KeyEntry& entry) const;

  std::size_t members = 0;     ///< Keys of this level, in whatever state.
  std::size_t in_flight = 0;   ///< Requests on them.
  Ring ring;                   ///< Those that are ready, where prompts choose keys.

 private:
  void put_back(Ready::node_type node, KeyEntry& entry);

  Ready ready_;
  Resting resting_;
  std::uint64_t ready_weight_ = 0;
  Turn now_;                   ///< The latest turn served.
  std::uint64_t orders_ = 0;
};

}  // namespace proxyxai
