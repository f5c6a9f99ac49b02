#include "ring.hpp"

#include <algorithm>

#include "key_entry.hpp"

namespace proxyxai {
namespace {

constexpr std::uint64_t points_of_a_key = 16;
constexpr std::uint64_t heaviest = 4;  // what is heavier stands at no more points: memory for them is bounded

}  // namespace

/// SplitMix64: neighbours come to lie far apart.
std::uint64_t Ring::mixed(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/// By the id alone, so that a key stands where it stood before a restart.
template <class Visit>
void Ring::for_points(const KeyEntry& entry, Visit visit) {
  const std::uint64_t count = points_of_a_key * std::min<std::uint64_t>(entry.turn.parts, heaviest);
  const std::uint64_t first = mixed(static_cast<std::uint64_t>(entry.key->id));
  for (std::uint64_t i = 0; i < count; ++i) visit(mixed(first + i));
}

void Ring::add(KeyEntry& entry) {
  for_points(entry, [&](std::uint64_t point) { points_.emplace(point, &entry); });
}

void Ring::remove(KeyEntry& entry) {
  for_points(entry, [&](std::uint64_t point) { points_.erase({point, &entry}); });
}

}  // namespace proxyxai
