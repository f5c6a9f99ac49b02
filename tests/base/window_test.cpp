#include "proxyxai/base/window.hpp"

#include <deque>
#include <random>

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

constexpr seconds minute{60};

/// So long after the start of a window.
Instant at(milliseconds passed) { return Instant{} + std::chrono::hours(1) + passed; }
Instant at(double passed) { return at(milliseconds(static_cast<std::int64_t>(passed * 1000))); }

TEST(Window, CountsUpToItsLimit) {
  SlidingWindow window(minute, 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(window.left(at(i)), 3 - i);
    window.add(at(i), 1);
  }
  EXPECT_EQ(window.left(at(10)), 0);
  EXPECT_EQ(window.used(at(10)), 3);
}

TEST(Window, TheOneBeforeCountsByWhatIsStillCovered) {
  SlidingWindow window(minute, 100);
  window.add(at(0), 60);
  EXPECT_EQ(window.used(at(59)), 60);
  EXPECT_EQ(window.used(at(60)), 60);
  EXPECT_EQ(window.used(at(75)), 45);
  EXPECT_EQ(window.used(at(90)), 30);
  EXPECT_EQ(window.used(at(120)), 0);
}

TEST(Window, IsEmptyAfterALongRest) {
  SlidingWindow window(minute, 5);
  window.add(at(0), 5);
  EXPECT_EQ(window.left(at(3'600)), 5);
}

TEST(Window, CorrectsWhatWasCountedInThisAndThePreviousOne) {
  SlidingWindow window(minute, 100);
  const auto first = window.add(at(0), 50);
  window.correct(at(10), first, -20);
  EXPECT_EQ(window.used(at(10)), 30);
  window.correct(at(60), first, -10);
  EXPECT_EQ(window.used(at(60)), 20);
  window.correct(at(130), first, -10);
  EXPECT_EQ(window.used(at(130)), 0) << "long past";
  const auto now = window.add(at(130), 5);
  window.correct(at(130), now, -50);
  EXPECT_EQ(window.used(at(130)), 0) << "never below nothing";
}

TEST(Window, ALowerLimitCountsAtOnce) {
  SlidingWindow window(minute, 100);
  window.add(at(0), 50);
  window.set_limit(10);
  EXPECT_EQ(window.left(at(1)), 0);
  window.set_limit(60);
  EXPECT_EQ(window.left(at(1)), 10);
}

TEST(Window, WaitsOfAmountsOverTheLimitEnd) {
  SlidingWindow window(minute, 10);
  window.add(at(0), 10);
  EXPECT_GT(window.wait_for(at(1), 1'000), milliseconds(0));
  EXPECT_LE(window.wait_for(at(1), 1'000), milliseconds(120'000));
}

TEST(Window, WhoWaitsAsLongAsToldIsTaken) {
  std::mt19937 random(11);
  const auto below = [&random](std::uint32_t end) { return static_cast<std::int64_t>(random() % end); };
  for (int round = 0; round < 2'000; ++round) {
    const std::int64_t limit = below(50) + 1;
    SlidingWindow window(minute, limit);
    milliseconds now(below(60'000));
    for (int i = 0; i < 20; ++i) {
      now += milliseconds(below(20'000));
      const std::int64_t amount = below(static_cast<std::uint32_t>(limit)) + 1;
      const milliseconds wait = window.wait_for(at(now), amount);
      EXPECT_EQ(wait == milliseconds(0), window.used(at(now)) + amount <= limit);
      now += wait;
      ASSERT_LE(window.used(at(now)) + amount, limit) << "limit " << limit << " amount " << amount << " waited " << wait.count();
      window.add(at(now), amount);
    }
  }
}

TEST(Window, NeverLetsThroughMoreThanTwiceItsLimitInOneLength) {
  // What a sliding window of two fixed ones can promise at the least; that of steady traffic is the limit itself.
  SlidingWindow window(minute, 60);
  std::deque<double> passed;
  for (double now = 0; now < 600; now += 0.25) {
    if (window.left(at(now)) < 1) continue;
    window.add(at(now), 1);
    passed.push_back(now);
    while (passed.front() <= now - 60) passed.pop_front();
    ASSERT_LE(passed.size(), 120u);
  }
}

}  // namespace
}  // namespace proxyxai
