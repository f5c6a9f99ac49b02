#include "proxyxai/retry/decision.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

class Budget : public testing::Test {
 protected:
  RetryBudget budget;
  Instant now = Instant{} + std::chrono::hours{1};

  void requests(int count) {
    for (int i = 0; i < count; ++i) budget.on_request(now);
  }
  void attempts(int good, int failed) {
    for (int i = 0; i < good; ++i) budget.on_attempt(false, now);
    for (int i = 0; i < failed; ++i) budget.on_attempt(true, now);
  }
  /// How many of `asked` retries are granted.
  int granted(int asked) {
    int count = 0;
    for (int i = 0; i < asked; ++i) count += budget.grant(now) ? 1 : 0;
    return count;
  }
};

TEST_F(Budget, grants_all_while_nothing_is_known) { EXPECT_EQ(granted(1000), 1000); }

TEST_F(Budget, grants_all_while_half_of_the_attempts_succeed) {
  requests(100);
  attempts(50, 50);
  EXPECT_FALSE(budget.in_outage(now));
  EXPECT_EQ(granted(1000), 1000);
}

TEST_F(Budget, is_an_outage_when_more_than_half_fail) {
  attempts(50, 51);
  EXPECT_TRUE(budget.in_outage(now));
}

TEST_F(Budget, grants_a_fifth_of_the_requests_in_an_outage) {
  requests(1000);
  attempts(0, 1000);
  EXPECT_EQ(granted(1000), 200);
}

TEST_F(Budget, grants_ten_a_second_at_least) {
  for (int second = 0; second < 5; ++second) {
    requests(10);
    attempts(0, 10);
    EXPECT_EQ(granted(100), 10) << "second " << second;
    now += seconds{1};
  }
}

TEST_F(Budget, holds_an_outage_to_a_fifth_over_time) {
  int retries = 0;
  for (int tick = 0; tick < 600; ++tick) {  // 60 seconds at 1000 requests a second, each asking for four retries.
    requests(100);
    attempts(0, 100);
    const int now_granted = granted(400);
    attempts(0, now_granted);
    retries += now_granted;
    now += milliseconds{100};
  }
  EXPECT_GE(retries, 60'000 / 5 - 200);
  EXPECT_LE(retries, 60'000 / 5 + 60 * 10);
}

TEST_F(Budget, counts_retries_granted_before_the_outage) {
  requests(1000);
  attempts(1000, 0);
  EXPECT_EQ(granted(500), 500);
  now += seconds{1};
  attempts(0, 2000);
  EXPECT_EQ(granted(100), 10);
}

TEST_F(Budget, sees_no_outage_in_a_handful_of_attempts) {
  attempts(0, 9);
  EXPECT_FALSE(budget.in_outage(now));
  attempts(0, 1);
  EXPECT_TRUE(budget.in_outage(now));
}

TEST_F(Budget, forgets_after_ten_seconds) {
  requests(10);
  attempts(0, 100);
  now += milliseconds{9'999};
  EXPECT_TRUE(budget.in_outage(now));
  now += milliseconds{1};
  EXPECT_FALSE(budget.in_outage(now));
  EXPECT_EQ(granted(100), 100);
}

TEST_F(Budget, recovers_as_attempts_succeed) {
  requests(100);
  attempts(0, 100);
  now += seconds{1};
  attempts(99, 0);
  EXPECT_TRUE(budget.in_outage(now));
  attempts(1, 0);
  EXPECT_FALSE(budget.in_outage(now));
}

TEST_F(Budget, has_forgotten_all_after_a_long_silence) {
  attempts(0, 100);
  now += std::chrono::hours{1};  // A multiple of the window: the same places in it.
  EXPECT_FALSE(budget.in_outage(now));
}

TEST_F(Budget, is_not_asked_for_a_stale_connection) {
  attempts(0, 100);
  const RetryState state{.attempts_made = 1, .started = now};
  Attempt stale;
  stale.fault = Fault::stale_connection;
  for (int i = 0; i < 100; ++i) ASSERT_EQ(decide({}, state, stale, budget, now), NextStep::retry);
  EXPECT_EQ(granted(100), 10);
}

TEST_F(Budget, is_not_charged_for_a_retry_that_is_not_made) {
  attempts(0, 100);
  const RetryState last{.attempts_made = 5, .started = now};
  Attempt failed;
  failed.fault = Fault::upstream;
  failed.status = 500;
  for (int i = 0; i < 100; ++i) ASSERT_EQ(decide({}, last, failed, budget, now), NextStep::relay);
  EXPECT_EQ(granted(100), 10);
}

}  // namespace
}  // namespace proxyxai
