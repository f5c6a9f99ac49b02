#include "proxyxai/base/money.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace proxyxai {
namespace {

TEST(Money, ReadsDecimalDollarsExactly) {
  EXPECT_EQ(parse_money("80"), dollars(80));
  EXPECT_EQ(parse_money("-0.2"), Money{-200'000'000});
  EXPECT_EQ(parse_money("0.000000001"), Money{1});
  EXPECT_EQ(parse_money("1e-9"), Money{1});
  EXPECT_EQ(parse_money("1.50e2"), dollars(150));
  EXPECT_EQ(parse_money("0.2000000000000"), Money{200'000'000});
  EXPECT_EQ(parse_money("100000000"), most_money);
  EXPECT_EQ(parse_money("0e99"), Money{0});
}

TEST(Money, RefusesWhatIsNoAmount) {
  for (const char* const text : {"", "-", ".", "1.2.3", "1e", "1e999", "NaN", "inf", "0x10", " 1", "1 ", "--1", "1,5", "0.0000000001",
                                 "100000000.000000001", "1e9", "99999999999999999999999999999999999999999999", "1.0000000001"}) {
    EXPECT_FALSE(parse_money(text)) << text;
  }
}

TEST(Money, TakesTheDecimalThatABinaryNumberStandsFor) {
  EXPECT_EQ(to_money(0.2), Money{200'000'000});
  EXPECT_EQ(to_money(129.8), Money{129'800'000'000});
  EXPECT_EQ(to_money(-50), dollars(-50));
  EXPECT_FALSE(to_money(1e-10));
  EXPECT_FALSE(to_money(std::nan("")));
  EXPECT_FALSE(to_money(std::numeric_limits<double>::infinity()));
  EXPECT_FALSE(to_money(1e300));
}

TEST(Money, ShowsDecimalsWithoutNeedlessZeros) {
  EXPECT_EQ(to_decimal(Money{129'800'000'000}), "129.8");
  EXPECT_EQ(to_decimal(Money{-1}), "-0.000000001");
  EXPECT_EQ(to_decimal(Money{0}), "0");
  EXPECT_EQ(to_decimal(Money{std::numeric_limits<std::int64_t>::min()}), "-9223372036.854775808");
  EXPECT_EQ(to_dollars(Money{129'800'000'000}), 129.8);
}

TEST(Money, ScalesWithOneRoundingHalfAwayFromZero) {
  EXPECT_EQ(scale(dollars(260), 1, 2), dollars(130));
  EXPECT_EQ(scale(Money{1}, 1, 2), Money{1});
  EXPECT_EQ(scale(Money{-1}, 1, 2), Money{-1});
  EXPECT_EQ(scale(Money{1}, 1, 3), Money{0});
  EXPECT_EQ(scale(most_money, 1'000, 1).nanos, std::numeric_limits<std::int64_t>::max());
}

}  // namespace
}  // namespace proxyxai
