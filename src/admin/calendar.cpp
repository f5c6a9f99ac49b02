#include "calendar.hpp"

#include <charconv>
#include <cstdio>
#include <ctime>

namespace proxyxai {
namespace {

namespace chrono = std::chrono;

/// `count` digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (text.size() < at + count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

chrono::year_month_day date_of(std::int32_t day) {
  return {chrono::year(day / 10'000), chrono::month(static_cast<unsigned>(day / 100 % 100)), chrono::day(static_cast<unsigned>(day % 100))};
}

std::int32_t day_of(chrono::year_month_day date) {
  return static_cast<int>(date.year()) * 10'000 + static_cast<int>(static_cast<unsigned>(date.month())) * 100 +
         static_cast<int>(static_cast<unsigned>(date.day()));
}

/// Minutes east of Greenwich: `Z`, `+01:00`.
std::optional<int> parse_zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  const auto hours = digits(text, 1, 2), minutes = digits(text, 4, 2);
  const bool good = text.size() == 6 && text[3] == ':' && hours && minutes && *hours < 24 && *minutes < 60;
  if (!good || (text[0] != '+' && text[0] != '-' && text[0] != ' ')) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes);
}

}  // namespace

std::optional<std::int32_t> parse_day(std::string_view text) {
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  if (text.size() != 10 || text[4] != '-' || text[7] != '-' || !year || !month || !day || *year < 1970) return std::nullopt;
  const std::int32_t number = *year * 10'000 + *month * 100 + *day;
  return date_of(number).ok() ? std::optional(number) : std::nullopt;
}

std::string to_date(std::int32_t day) {
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02d-%02d", day / 10'000, day / 100 % 100, day % 100);
  return text;
}

std::int32_t add_days(std::int32_t day, int count) {
  return day_of(chrono::year_month_day(chrono::sys_days(date_of(day)) + chrono::days(count)));
}

int days_between(std::int32_t from, std::int32_t to) {
  return static_cast<int>((chrono::sys_days(date_of(to)) - chrono::sys_days(date_of(from))).count());
}

WallTime start_of_day(std::int32_t day) {
  std::tm parts{};
  parts.tm_year = day / 10'000 - 1900;
  parts.tm_mon = day / 100 % 100 - 1;
  parts.tm_mday = day % 100;
  parts.tm_isdst = -1;
  return from_unix_ms(std::int64_t{std::mktime(&parts)} * 1000);
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  const auto day = parse_day(text.substr(0, 10));
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!day || !hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  if ((text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') return std::nullopt;
  std::string_view rest = text.substr(19);
  int fraction = 0;
  if (rest.starts_with('.')) {
    const auto end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    if (end == 1) return std::nullopt;
    std::string thousandths(rest.substr(1, std::min<std::size_t>(end - 1, 3)));
    thousandths.resize(3, '0');
    fraction = digits(thousandths, 0, 3).value_or(0);
    rest.remove_prefix(end);
  }
  const auto zone = parse_zone(rest);
  if (!zone) return std::nullopt;
  const auto moment = chrono::sys_days(date_of(*day)) + chrono::hours(*hour) + chrono::minutes(*minute - *zone) + chrono::seconds(*second) +
                      milliseconds(fraction);
  return WallTime(moment);
}

}  // namespace proxyxai
