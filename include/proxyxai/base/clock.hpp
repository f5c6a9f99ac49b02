#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <optional>

namespace proxyxai {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Monotonic time: deadlines, cool-downs, latencies.
using Instant = std::chrono::steady_clock::time_point;
/// Calendar time at millisecond resolution: what is stored and shown.
using WallTime = std::chrono::time_point<std::chrono::system_clock, milliseconds>;

/// Both clocks behind one seam, so that tests own time. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  [[nodiscard]] virtual WallTime wall_now() const = 0;
};

/// The clocks of the machine.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime wall_now() const override {
    return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  }
};

/// Milliseconds since 1970-01-01T00:00:00Z, as stored.
inline std::int64_t to_unix_ms(WallTime time) { return time.time_since_epoch().count(); }
inline WallTime from_unix_ms(std::int64_t ms) { return WallTime{milliseconds{ms}}; }

/// The calendar day in the time zone of the process (`TZ`), as 20261125.
std::int32_t day_of(WallTime time);
/// The month, as 202611.
inline std::int32_t month_of(WallTime time) { return day_of(time) / 100; }

/// `day_of` for times that mostly follow each other: asks for the time zone when a quarter of an hour begins. One thread at a time.
class LocalDays {
 public:
  std::int32_t day_of(WallTime time);

 private:
  std::int64_t quarter_ = -1;
  std::int32_t day_ = 0;
};

/// RFC 3339 in the time zone of the process (`TZ`), e.g. `2026-11-24T09:38:00+01:00`.
std::string to_rfc3339(WallTime time);
/// The same in UTC to the millisecond, as logs have it: `2026-11-24T08:38:00.042Z`.
std::string to_log_time(WallTime time);

/// A length of time as settings write it: `1500ms`, `5s`, `2m`, `1h`, or a bare number of seconds; nullopt when it is
/// none of these, negative, or over 100 years.
std::optional<milliseconds> parse_duration(std::string_view text);

}  // namespace proxyxai
