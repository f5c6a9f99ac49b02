#include "proxyxai/base/clock.hpp"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

struct DurationCase {
  const char* text;
  std::int64_t ms;
};

class Duration : public testing::TestWithParam<DurationCase> {};

TEST_P(Duration, IsRead) {
  const auto read = parse_duration(GetParam().text);
  ASSERT_TRUE(read.has_value()) << GetParam().text;
  EXPECT_EQ(read->count(), GetParam().ms) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(Texts, Duration,
                         testing::Values(DurationCase{"1500ms", 1'500}, DurationCase{"5s", 5'000}, DurationCase{"2m", 120'000},
                                         DurationCase{"1h", 3'600'000}, DurationCase{"7", 7'000}, DurationCase{"0", 0},
                                         DurationCase{"0.5s", 500}, DurationCase{"1.5h", 5'400'000}, DurationCase{"0.0006s", 1},
                                         DurationCase{"7200s", 7'200'000}, DurationCase{"876000h", 3'153'600'000'000}));

class NoDuration : public testing::TestWithParam<const char*> {};

TEST_P(NoDuration, IsRefused) { EXPECT_FALSE(parse_duration(GetParam()).has_value()) << GetParam(); }

INSTANTIATE_TEST_SUITE_P(Texts, NoDuration,
                         testing::Values("", "s", "ms", "-1s", "-0.1", "+5s", "5 s", " 5s", "5s ", "5S", "5sec", "5d", "1h30m", "0x10",
                                         "nan", "inf", "infinity", "1e400s", "1e300h", "1000000h", "five", "5s\n", "5,5s"));

TEST(Rfc3339, IsInTheZoneOfTheProcess) {
  const char* const before = std::getenv("TZ");
  const std::string kept = before == nullptr ? "" : before;
  const auto in = [](const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    return to_rfc3339(from_unix_ms(1'700'000'000'999));
  };
  EXPECT_EQ(in("UTC0"), "2023-11-14T22:13:20+00:00");
  EXPECT_EQ(in("CET-1"), "2023-11-14T23:13:20+01:00");
  EXPECT_EQ(in("NST3:30"), "2023-11-14T18:43:20-03:30");
  if (before == nullptr) ::unsetenv("TZ");
  else ::setenv("TZ", kept.c_str(), 1);
  ::tzset();
}

}  // namespace
}  // namespace proxyxai
