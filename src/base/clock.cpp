#include "proxyxai/base/clock.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace proxyxai {

namespace {

std::tm to_local(WallTime time) {
  const std::time_t instant = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  localtime_r(&instant, &parts);
  return parts;
}

}  // namespace

std::int32_t day_of(WallTime time) {
  const std::tm local = to_local(time);
  return (local.tm_year + 1900) * 10'000 + (local.tm_mon + 1) * 100 + local.tm_mday;
}

std::int32_t LocalDays::day_of(WallTime time) {
  // Time zones, and when they change, are whole quarters of an hour from UTC.
  constexpr std::int64_t quarter_ms = 900'000;
  const std::int64_t quarter = to_unix_ms(time) / quarter_ms;
  if (quarter != quarter_) day_ = proxyxai::day_of(from_unix_ms(quarter * quarter_ms));
  quarter_ = quarter;
  return day_;
}

std::string to_rfc3339(WallTime time) {
  const std::tm local = to_local(time);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S%z", &local);
  // strftime writes +0100 where RFC 3339 wants +01:00.
  std::string out(text, length);
  if (out.size() > 5) out.insert(out.size() - 2, 1, ':');
  return out;
}

std::string to_log_time(WallTime time) {
  const std::int64_t ms = to_unix_ms(time);
  const auto second = static_cast<std::time_t>(ms / 1'000);
  std::tm parts{};
  gmtime_r(&second, &parts);
  char text[40];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  const auto fraction = static_cast<unsigned>(ms % 1'000);
  const char digits[] = {'.', static_cast<char>('0' + fraction / 100), static_cast<char>('0' + fraction / 10 % 10), static_cast<char>('0' + fraction % 10), 'Z'};
  return std::string(text, length).append(digits, sizeof digits);
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  double number = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  double factor = 0;
  if (unit == "ms") factor = 1;
  else if (unit == "s" || unit.empty()) factor = 1'000;
  else if (unit == "m") factor = 60'000;
  else if (unit == "h") factor = 3'600'000;
  else return std::nullopt;
  constexpr double century_ms = 100.0 * 366 * 86'400'000;
  if (number * factor > century_ms) return std::nullopt;
  return milliseconds(std::llround(number * factor));
}

}  // namespace proxyxai
