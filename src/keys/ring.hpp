#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>

namespace proxyxai {

struct KeyEntry;

/// A consistent hash over keys: each stands at a few points of a circle, a heavier one at more, and a value belongs to the key whose
/// point follows it. Who comes or goes takes or leaves its own share only. Loop thread; the entries belong to the pool.
class Ring {
 public:
  void add(KeyEntry& entry);
  void remove(KeyEntry& entry);

  /// The first key from the place of `value` on that `suits`; null when none of those near by does.
  template <class Suits>
  [[nodiscard]] KeyEntry* find(std::uint64_t value, Suits suits) const {
    auto at = points_.lower_bound({mixed(value), nullptr});
    for (std::size_t steps = points_.size() < most_steps ? points_.size() : most_steps; steps > 0; --steps) {
      if (at == points_.end()) at = points_.begin();
      if (suits(*at->second)) return at->second;
      ++at;
    }
    return nullptr;
  }

 private:
  /// Beyond, most keys are out of use, and any that is left will do.
  static constexpr std::size_t most_steps = 256;

  static std::uint64_t mixed(std::uint64_t value);
  template <class Visit>
  static void for_points(const KeyEntry& entry, Visit visit);

  std::set<std::pair<std::uint64_t, KeyEntry*>> points_;
};

}  // namespace proxyxai
