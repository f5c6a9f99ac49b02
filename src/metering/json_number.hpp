#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace proxyxai {

/// A JSON number that a count can be, from 0 up: fractions are cut off, what is larger than `most` is `most`. Nullopt: no
/// number, or below 0.
inline std::optional<std::int64_t> read_count(std::string_view text, std::int64_t most) {
  // Nearly all are a few digits.
  if (!text.empty() && text.size() <= 9) {
    std::int64_t digits = 0;
    std::size_t at = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) digits = digits * 10 + (text[at] - '0');
    if (at == text.size()) return digits < most ? digits : most;
  }
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto whole = std::from_chars(text.data(), end, value);
  if (whole.ec == std::errc{} && whole.ptr == end) {
    if (value < 0) return std::nullopt;
    return value < most ? value : most;
  }
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '-')) return std::nullopt;
  double real = 0;
  const auto [stop, failed] = std::from_chars(text.data(), end, real);
  if (failed == std::errc::result_out_of_range && text[0] != '-') {
    return text.find("e-") == text.npos && text.find("E-") == text.npos ? most : 0;
  }
  if (failed != std::errc{} || stop != end || !(real >= 0)) return std::nullopt;
  return real < static_cast<double>(most) ? static_cast<std::int64_t>(real) : most;
}

/// Seconds, which JSON writes as a fraction, in whole milliseconds, rounded up.
inline std::optional<std::int64_t> read_milliseconds(std::string_view text, std::int64_t most) {
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, seconds);
  if (text.empty() || failed != std::errc{} || stop != end || !(seconds >= 0)) return std::nullopt;
  const double milliseconds = std::ceil(seconds * 1000 - 1e-6);
  return milliseconds < static_cast<double>(most) ? static_cast<std::int64_t>(milliseconds) : most;
}

}  // namespace proxyxai
