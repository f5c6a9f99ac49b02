#include "retry_time.hpp"

#include "error_body.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

constexpr double most_ms = 24.0 * 3600 * 1000;
/// Longer lengths are all the same to us, and their sum must not overflow.
constexpr double forever_ms = 1e15;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes a number without sign or exponent, such as `12` or `3.89`, off the front.
std::optional<double> take_number(std::string_view& text) {
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto end = std::find_if(text.begin(), text.end(), [](char c) { return !is_digit(c) && c != '.'; });
  const auto length = static_cast<std::size_t>(end - text.begin());
  double value = 0;
  const auto [last, error] = std::from_chars(text.data(), text.data() + length, value, std::chars_format::fixed);
  if (last != text.data() + length) return std::nullopt;
  // Too large, or too small: then no digit of the whole part counts.
  if (error == std::errc::result_out_of_range) value = text.find_first_not_of('0') < text.find('.') ? forever_ms : 0;
  text.remove_prefix(length);
  return std::min(value, forever_ms);
}

/// Up to the next millisecond, since a key asked too early fails again.
milliseconds to_milliseconds(double ms, double most) {
  return milliseconds{static_cast<milliseconds::rep>(std::ceil(std::clamp(ms, 0.0, most) - 1e-6))};
}

std::optional<milliseconds> number_of(std::string_view text, double unit_ms) {
  text = trim(text);
  const auto number = take_number(text);
  if (!number || !text.empty()) return std::nullopt;
  return to_milliseconds(*number * unit_ms, most_ms);
}

std::optional<milliseconds> until_date(std::string_view text) {
  const auto date = parse_http_date(trim(text));
  if (!date) return std::nullopt;
  const auto left = *date - SystemClock{}.wall_now();
  return std::clamp(left, milliseconds{0}, milliseconds{static_cast<milliseconds::rep>(most_ms)});
}

/// "… Please try again in 3.89s. Visit …"
std::optional<milliseconds> from_message(std::string_view message) {
  constexpr std::string_view phrase = "try again in ";
  const auto at = find_phrase(message, phrase);
  if (at == std::string_view::npos) return std::nullopt;
  auto text = message.substr(at + phrase.size());
  const auto end = std::find_if(text.begin(), text.end(), [](char c) {
    return !is_digit(c) && c != '.' && !(c >= 'a' && c <= 'z');
  });
  text = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  while (text.ends_with('.')) text.remove_suffix(1);
  return parse_reset(text);
}

std::optional<milliseconds> from_resets(const Answer& answer) {
  const auto requests = parse_reset(trim(answer.reset_requests));
  const auto tokens = parse_reset(trim(answer.reset_tokens));
  const bool no_requests = trim(answer.remaining_requests) == "0";
  const bool no_tokens = trim(answer.remaining_tokens) == "0";
  if (no_requests != no_tokens) {
    const auto& spent = no_requests ? requests : tokens;
    if (spent) return spent;
  }
  return std::max(requests, tokens);  // An absent one is the least.
}

}  // namespace

std::optional<milliseconds> parse_reset(std::string_view text) {
  struct Unit {
    std::string_view name;
    double ms;
  };
  // Descending, and each at most once: `6m0s` is a length of time, `0s6m` is not.
  static constexpr std::array<Unit, 5> units{
      {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
  if (text.empty()) return std::nullopt;
  double total = 0;
  std::size_t next = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    const auto length = static_cast<std::size_t>(std::find_if(text.begin(), text.end(), is_digit) - text.begin());
    const auto name = text.substr(0, length);
    while (next < units.size() && units[next].name != name) ++next;
    if (next == units.size()) return std::nullopt;
    total += *number * units[next++].ms;
    text.remove_prefix(length);
  }
  return to_milliseconds(total, forever_ms);
}

std::optional<WallTime> parse_http_date(std::string_view text) {
  // "Sun, 06 Nov 1994 08:49:37 GMT"; the day of the week says nothing that the date does not.
  static constexpr std::string_view shape = "aaa, 00 aaa 0000 00:00:00 GMT";
  static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != shape.size()) return std::nullopt;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const bool fits = shape[i] == '0' ? is_digit(text[i]) : shape[i] == 'a' || shape[i] == text[i];
    if (!fits) return std::nullopt;
  }
  const auto number = [&](std::size_t at, std::size_t length) {
    int value = 0;
    for (const char c : text.substr(at, length)) value = value * 10 + (c - '0');
    return value;
  };
  const auto month = months.find(text.substr(8, 3));
  if (month == months.npos || month % 3 != 0) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{number(12, 4)},
                                         std::chrono::month{static_cast<unsigned>(month / 3 + 1)},
                                         std::chrono::day{static_cast<unsigned>(number(5, 2))}};
  if (!date.ok() || number(17, 2) > 23 || number(20, 2) > 59 || number(23, 2) > 60) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{number(17, 2)} + std::chrono::minutes{number(20, 2)} +
         std::chrono::seconds{number(23, 2)};
}

std::optional<milliseconds> retry_time(const Answer& answer, std::string_view message) {
  auto time = number_of(answer.retry_after_ms, 1);
  if (!time) time = number_of(answer.retry_after, 1'000);
  if (!time) time = until_date(answer.retry_after);
  if (!time) time = from_message(message);
  if (!time) time = from_resets(answer);
  if (time) time = std::min(*time, milliseconds{static_cast<milliseconds::rep>(most_ms)});
  return time;
}

}  // namespace proxyxai
