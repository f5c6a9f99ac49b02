#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace proxyxai {

/// A day of UTC, counted from 1970-01-01.
using UtcDay = std::int32_t;

inline constexpr std::int64_t seconds_in_day = 86'400;

/// Reads `2026-11-25`. Nullopt: there is no such day, or it is before 1970.
std::optional<UtcDay> parse_utc_day(std::string_view text);
/// As it is read.
std::string utc_date(UtcDay day);
/// The present one.
UtcDay utc_today();

}  // namespace proxyxai
