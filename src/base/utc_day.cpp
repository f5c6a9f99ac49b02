#include "proxyxai/base/utc_day.hpp"

#include <chrono>
#include <cstdio>

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

namespace chrono = std::chrono;

/// A number of digits only.
std::optional<int> digits(std::string_view text) {
  const auto number = parse_whole(text);
  return number && text.front() != '-' ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

}  // namespace

std::optional<UtcDay> parse_utc_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits(text.substr(0, 4)), month = digits(text.substr(5, 2)), day = digits(text.substr(8));
  if (!year || !month || !day || *year < 1970) return std::nullopt;
  const chrono::year_month_day date(chrono::year(*year), chrono::month(static_cast<unsigned>(*month)), chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  return static_cast<UtcDay>(chrono::sys_days(date).time_since_epoch().count());
}

std::string utc_date(UtcDay day) {
  const chrono::year_month_day date{chrono::sys_days(chrono::days(day))};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()), static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

UtcDay utc_today() { return static_cast<UtcDay>(chrono::floor<chrono::days>(chrono::system_clock::now()).time_since_epoch().count()); }

}  // namespace proxyxai
