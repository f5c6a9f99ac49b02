#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxyxai/base/clock.hpp"

/// Days as accounts count them, 20261125, in the time zone of the process. Pure but for that; any thread.
namespace proxyxai {

/// Reads `2026-11-25`. Nullopt: there is no such day.
std::optional<std::int32_t> parse_day(std::string_view text);
/// As it is read.
std::string to_date(std::int32_t day);
/// So many days later, or earlier.
std::int32_t add_days(std::int32_t day, int count);
/// From the one to the other.
int days_between(std::int32_t from, std::int32_t to);
/// Its first moment.
WallTime start_of_day(std::int32_t day);

/// Reads a time of RFC 3339, `2026-11-24T09:38:00+01:00`. A blank stands for the `+`, which queries make of it.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace proxyxai
