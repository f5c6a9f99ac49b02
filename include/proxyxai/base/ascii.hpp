#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace proxyxai {

/// Names of HTTP and MIME are compared in ASCII and without case, whatever the locale (RFC 9110 5.1).

inline constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// True when `text` begins with `lower`, in any case; `lower` must be in lower case.
inline constexpr bool starts_with_lower(std::string_view text, std::string_view lower) {
  if (text.size() < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    if (to_lower(text[i]) != lower[i]) return false;
  }
  return true;
}

/// True when both are equal in any case; `lower` must be in lower case.
inline constexpr bool equals_lower(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && starts_with_lower(text, lower);
}

/// `text == literal` for a literal: compared where it stands, while `==` calls memcmp. For names that are looked for in every body.
[[gnu::always_inline]] inline constexpr bool equals(std::string_view text, std::string_view literal) {
  return text.size() == literal.size() && __builtin_memcmp(text.data(), literal.data(), literal.size()) == 0;
}

/// `text` without blanks (space, tab) at its ends.
inline constexpr std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// The value of a hexadecimal digit, -1 for anything else.
inline constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// `text` as a whole decimal number; nullopt when it is anything else or does not fit.
inline std::optional<std::int64_t> parse_whole(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || rest != end) return std::nullopt;
  return value;
}

/// True for the path `root` and what is below it.
inline constexpr bool is_under(std::string_view path, std::string_view root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

/// Appends `value` in decimal digits.
inline void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace proxyxai
