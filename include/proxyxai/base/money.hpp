#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace proxyxai {

/// For products of amounts, before they are rounded. An extension of GCC and Clang.
__extension__ using Wide = __int128;

/// An amount of US dollars in whole nano-dollars (10⁻⁹ $), which a sum of amounts never leaves: no rounding, no floating point.
/// Amounts that come from outside are bounded by `most_money`, so that any sum of a few million of them fits. Any thread.
struct Money {
  std::int64_t nanos = 0;

  friend constexpr auto operator<=>(Money, Money) = default;
  friend constexpr Money operator+(Money a, Money b) { return {a.nanos + b.nanos}; }
  friend constexpr Money operator-(Money a, Money b) { return {a.nanos - b.nanos}; }
  constexpr Money operator-() const { return {-nanos}; }
  constexpr Money& operator+=(Money other) { return *this = *this + other; }
  constexpr Money& operator-=(Money other) { return *this = *this - other; }
};

/// $100,000,000: the largest amount that is taken from outside.
inline constexpr Money most_money{100'000'000'000'000'000};

constexpr Money dollars(std::int64_t whole) { return {whole * 1'000'000'000}; }

/// Reads a decimal number of dollars such as `80`, `-0.2`, `1e-3`. Nullopt: it is no number, or has a fraction of a
/// nano-dollar, or its size is over `most_money`.
std::optional<Money> parse_money(std::string_view text);
/// The same of a number that JSON gave as binary floating point: of the shortest decimal that reads back as `value`.
std::optional<Money> to_money(double value);
/// Exact decimal dollars without needless zeros: `129.8`, `-0.000000001`, `0`.
std::string to_decimal(Money amount);
/// For JSON, which shows dollars; exact below about nine million dollars.
double to_dollars(Money amount);

/// `amount × numerator / denominator`, rounded half away from zero to whole nano-dollars. `denominator` > 0; a result that
/// does not fit is cut to the largest that does.
Money scale(Money amount, std::int64_t numerator, std::int64_t denominator);

/// A factor on list prices, in billionths: 1'000'000'000 is list price.
using Rate = std::int64_t;
inline constexpr Rate list_rate = 1'000'000'000;

}  // namespace proxyxai
