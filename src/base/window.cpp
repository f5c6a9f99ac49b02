#include "proxyxai/base/window.hpp"

#include <algorithm>
#include <cmath>

namespace proxyxai {

void SlidingWindow::turn(Instant now) {
  const std::int64_t period = now.time_since_epoch() / length_;
  if (period == period_) return;
  previous_ = period == period_ + 1 ? current_ : 0;
  current_ = 0;
  period_ = period;
}

double SlidingWindow::part_covered(Instant now) const {
  const auto into = now.time_since_epoch() % length_;
  return 1.0 - std::chrono::duration<double>(into) / std::chrono::duration<double>(length_);
}

std::int64_t SlidingWindow::used(Instant now) {
  turn(now);
  // Less a trace of it, so that the moment which wait_for names is not missed for the last bit of a fraction.
  return current_ + static_cast<std::int64_t>(std::ceil(static_cast<double>(previous_) * part_covered(now) - 1e-6));
}

std::int64_t SlidingWindow::left(Instant now) { return std::max<std::int64_t>(0, limit_ - used(now)); }

milliseconds SlidingWindow::wait_for(Instant now, std::int64_t amount) {
  if (used(now) + amount <= limit_) return milliseconds(0);
  const auto length = std::chrono::duration<double, std::milli>(length_).count();
  const double until_turn = part_covered(now) * length;
  // How far into a window its forerunner must have left it for this much to fit.
  const auto time_to_fit = [&](std::int64_t current, std::int64_t previous) {
    const auto room = static_cast<double>(std::max<std::int64_t>(0, limit_ - current - amount));
    return previous == 0 ? 0.0 : length * std::max(0.0, 1.0 - room / static_cast<double>(previous));
  };
  double wait = 0;
  if (current_ + amount <= limit_) wait = time_to_fit(current_, previous_) - (length - until_turn);
  else wait = until_turn + time_to_fit(0, current_);
  return std::max(milliseconds(1), milliseconds(static_cast<std::int64_t>(std::ceil(wait))));
}

std::int64_t SlidingWindow::add(Instant now, std::int64_t amount) {
  turn(now);
  current_ += amount;
  return period_;
}

void SlidingWindow::correct(Instant now, std::int64_t time, std::int64_t difference) {
  turn(now);
  if (time == period_) current_ = std::max<std::int64_t>(0, current_ + difference);
  else if (time + 1 == period_) previous_ = std::max<std::int64_t>(0, previous_ + difference);
}

}  // namespace proxyxai
