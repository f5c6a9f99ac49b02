#include "proxyxai/retry/decision.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <vector>

namespace proxyxai {

void PrintTo(NextStep step, std::ostream* out) {
  static constexpr const char* names[] = {"relay", "retry", "retry_paused", "give_up"};
  *out << names[static_cast<int>(step)];
}

namespace {

const Instant start = Instant{} + std::chrono::hours{1};

/// A budget in an outage that has given all it has.
RetryBudget spent_budget() {
  RetryBudget budget;
  for (int i = 0; i < 20; ++i) budget.on_attempt(true, start);
  while (budget.grant(start)) {
  }
  return budget;
}

struct Case {
  const char* name;
  Fault fault;
  unsigned status;
  NextStep untried;      ///< A key that the request has not tried is usable.
  NextStep all_tried;
  NextStep no_attempts;  ///< The fifth of five attempts.
  NextStep too_late;     ///< The deadline has passed.
  NextStep no_replay;
  NextStep no_budget;
};

constexpr auto relay = NextStep::relay;
constexpr auto retry = NextStep::retry;
constexpr auto paused = NextStep::retry_paused;
constexpr auto give_up = NextStep::give_up;

const std::vector<Case> cases{
    {"good", Fault::none, 200, relay, relay, relay, relay, relay, relay},
    {"caller", Fault::caller, 400, relay, relay, relay, relay, relay, relay},
    {"unknown_model", Fault::unknown_model, 404, retry, relay, relay, relay, relay, relay},
    {"server_error", Fault::upstream, 500, retry, paused, relay, relay, relay, relay},
    {"no_connection", Fault::upstream, 0, retry, paused, give_up, give_up, give_up, give_up},
    {"broken_off_after_200", Fault::upstream, 200, retry, paused, give_up, give_up, give_up, give_up},
    {"overloaded", Fault::overloaded, 503, retry, paused, relay, relay, relay, relay},
    {"stale_connection", Fault::stale_connection, 0, retry, retry, give_up, give_up, give_up, retry},
    {"rate_limited", Fault::rate_limited, 429, retry, give_up, give_up, give_up, give_up, give_up},
    {"exhausted", Fault::exhausted, 429, retry, give_up, give_up, give_up, give_up, give_up},
    {"no_access", Fault::no_access, 403, retry, give_up, give_up, give_up, give_up, give_up},
    {"dead", Fault::dead, 401, retry, give_up, give_up, give_up, give_up, give_up},
    {"suspended", Fault::suspended, 401, retry, give_up, give_up, give_up, give_up, give_up},
    {"egress", Fault::egress, 403, retry, give_up, give_up, give_up, give_up, give_up},
    {"client_gone", Fault::client_gone, 0, give_up, give_up, give_up, give_up, give_up, give_up},
    {"ours", Fault::ours, 0, give_up, give_up, give_up, give_up, give_up, give_up},
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class Decision : public testing::TestWithParam<Case> {
 protected:
  RetryPolicy policy;
  RetryState state{.attempts_made = 1, .started = start, .untried_key_left = true, .unknown_model_answers = 1};
  RetryBudget budget;

  NextStep after(milliseconds passed = milliseconds{1}) {
    Attempt attempt;
    attempt.fault = GetParam().fault;
    attempt.status = GetParam().status;
    return decide(policy, state, attempt, budget, start + passed);
  }
};

TEST_P(Decision, with_an_untried_key) { EXPECT_EQ(after(), GetParam().untried); }

TEST_P(Decision, with_every_key_tried) {
  state.untried_key_left = false;
  EXPECT_EQ(after(), GetParam().all_tried);
}

TEST_P(Decision, ends_with_the_last_attempt) {
  state.attempts_made = 4;
  EXPECT_EQ(after(), GetParam().untried);
  state.attempts_made = 5;
  EXPECT_EQ(after(), GetParam().no_attempts);
}

TEST_P(Decision, ends_with_the_deadline) {
  EXPECT_EQ(after(policy.deadline - milliseconds{1}), GetParam().untried);
  EXPECT_EQ(after(policy.deadline), GetParam().too_late);
}

TEST_P(Decision, needs_a_body_that_can_be_sent_again) {
  state.replayable = false;
  EXPECT_EQ(after(), GetParam().no_replay);
}

TEST_P(Decision, asks_the_budget) {
  budget = spent_budget();
  EXPECT_EQ(after(), GetParam().no_budget);
}

TEST_P(Decision, never_retries_what_the_client_has_seen) {
  Attempt attempt;
  attempt.fault = GetParam().fault;
  attempt.status = 200;
  attempt.relayed = 1;
  EXPECT_EQ(decide(policy, state, attempt, budget, start), NextStep::relay);
}

INSTANTIATE_TEST_SUITE_P(EveryFault, Decision, testing::ValuesIn(cases),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(UnknownModel, is_asked_of_one_other_key_only) {
  RetryBudget budget;
  RetryState state{.attempts_made = 2, .started = start, .untried_key_left = true, .unknown_model_answers = 2};
  Attempt attempt;
  attempt.fault = Fault::unknown_model;
  attempt.status = 404;
  EXPECT_EQ(decide({}, state, attempt, budget, start), NextStep::relay);
  state.unknown_model_answers = 1;  // The attempt before had failed for another reason.
  EXPECT_EQ(decide({}, state, attempt, budget, start), NextStep::retry);
}

TEST(Policy, one_attempt_means_no_retry) {
  RetryBudget budget;
  Attempt attempt;
  attempt.fault = Fault::upstream;
  attempt.status = 502;
  EXPECT_EQ(decide({.attempts = 1}, {.attempts_made = 1, .started = start}, attempt, budget, start), NextStep::relay);
}

}  // namespace
}  // namespace proxyxai
