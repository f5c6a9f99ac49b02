#pragma once

#include <cstdint>

#include "proxyxai/base/clock.hpp"

namespace proxyxai {

/// How much has happened in the last minute, hour or day: a sliding window made of two fixed ones, of which the older counts by
/// the part of it that the window still covers. Loop thread.
class SlidingWindow {
 public:
  explicit SlidingWindow(seconds length, std::int64_t limit) : length_(length), limit_(limit) {}

  [[nodiscard]] seconds length() const { return length_; }
  [[nodiscard]] std::int64_t limit() const { return limit_; }
  void set_limit(std::int64_t limit) { limit_ = limit; }
  /// What counts now.
  [[nodiscard]] std::int64_t used(Instant now);
  [[nodiscard]] std::int64_t left(Instant now);
  /// When `amount` more will fit, from `now`; zero: now. Of an amount over the limit itself, when the window is empty.
  [[nodiscard]] milliseconds wait_for(Instant now, std::int64_t amount);

  /// Counts `amount`; the result names the time for `correct`.
  std::int64_t add(Instant now, std::int64_t amount);
  /// Changes what was counted at that time by `difference`.
  void correct(Instant now, std::int64_t time, std::int64_t difference);

 private:
  void turn(Instant now);
  [[nodiscard]] double part_covered(Instant now) const;

  seconds length_;
  std::int64_t limit_;
  std::int64_t period_ = 0;  // number of the fixed window that `current_` counts
  std::int64_t current_ = 0, previous_ = 0;
};

}  // namespace proxyxai
