#include "proxyxai/base/money.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace proxyxai {
namespace {

constexpr std::int64_t nanos_in_dollar = 1'000'000'000;

}  // namespace

std::optional<Money> parse_money(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  // Digits as one whole number, and where its decimal point is.
  Wide digits = 0;
  int exponent = 0;
  bool any = false, point = false;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      if (point && c == '0' && text.find_first_not_of('0', at) == text.npos) continue;
      // No amount that is taken has more digits than this.
      if (digits > Wide{most_money.nanos} * 1000) return std::nullopt;
      digits = digits * 10 + (c - '0');
      exponent -= point ? 1 : 0;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
    std::string_view rest = text.substr(at + 1);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    int given = 0;
    const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), given);
    if (failed != std::errc{} || end != rest.data() + rest.size() || given > 100 || given < -100) return std::nullopt;
    exponent += given;
  }
  exponent += 9;
  for (; exponent > 0 && digits != 0; --exponent) {
    digits *= 10;
    if (digits > most_money.nanos) return std::nullopt;
  }
  for (; exponent < 0 && digits != 0; ++exponent) {
    if (digits % 10 != 0) return std::nullopt;
    digits /= 10;
  }
  if (digits > most_money.nanos) return std::nullopt;
  const auto nanos = static_cast<std::int64_t>(digits);
  return Money{negative ? -nanos : nanos};
}

std::optional<Money> to_money(double value) {
  if (!std::isfinite(value)) return std::nullopt;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
  std::array<char, 32> text;
  const auto [end, failed] = std::to_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{}) return std::nullopt;
  return parse_money({text.data(), static_cast<std::size_t>(end - text.data())});
}

std::string to_decimal(Money amount) {
  const bool negative = amount.nanos < 0;
  // Of the unsigned value: the smallest number has no positive of its own.
  const auto nanos = negative ? 0 - static_cast<std::uint64_t>(amount.nanos) : static_cast<std::uint64_t>(amount.nanos);
  std::string text = std::to_string(nanos / nanos_in_dollar);
  if (negative) text.insert(0, 1, '-');
  const std::uint64_t rest = nanos % nanos_in_dollar;
  if (rest == 0) return text;
  std::string fraction = std::to_string(rest + nanos_in_dollar).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

double to_dollars(Money amount) {
  const std::string text = to_decimal(amount);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Money scale(Money amount, std::int64_t numerator, std::int64_t denominator) {
  const Wide product = Wide{amount.nanos} * numerator;
  const Wide half = denominator / 2;
  const Wide result = product >= 0 ? (product + half) / denominator : (product - half) / denominator;
  if (result > std::numeric_limits<std::int64_t>::max()) return {std::numeric_limits<std::int64_t>::max()};
  if (result < std::numeric_limits<std::int64_t>::min()) return {std::numeric_limits<std::int64_t>::min()};
  return {static_cast<std::int64_t>(result)};
}

}  // namespace proxyxai
