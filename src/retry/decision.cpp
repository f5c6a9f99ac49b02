#include "proxyxai/retry/decision.hpp"

namespace proxyxai {
namespace {

constexpr std::uint32_t floor_per_second = 10;
/// Below this many attempts in the window nothing can be said about an outage.
constexpr std::uint32_t enough_attempts = 10;

bool calls_for_retry(Fault fault) {
  return fault == Fault::upstream || fault == Fault::overloaded || fault == Fault::stale_connection ||
         fault == Fault::unknown_model || is_about_key(fault);
}

/// What the client gets when there is no retry. Only an answer of the service itself may be shown, and only a whole
/// one: what broke off after a good status is none.
NextStep last_step(const Attempt& attempt) {
  const bool showable = attempt.status >= 400 && !is_about_key(attempt.fault);
  return showable ? NextStep::relay : NextStep::give_up;
}

}  // namespace

RetryBudget::Second& RetryBudget::at(Instant now) {
  const auto number = std::chrono::floor<seconds>(now.time_since_epoch()).count();
  Second& second = window_[static_cast<std::size_t>(number) % window_.size()];
  if (second.number != number) second = Second{number, 0, 0, 0, 0};
  return second;
}

RetryBudget::Second RetryBudget::sum(Instant now) const {
  const auto number = std::chrono::floor<seconds>(now.time_since_epoch()).count();
  Second total{number, 0, 0, 0, 0};
  for (const Second& each : window_) {
    if (each.number <= number - static_cast<std::int64_t>(window_.size()) || each.number > number) continue;
    total.requests += each.requests;
    total.attempts += each.attempts;
    total.failures += each.failures;
    total.retries += each.retries;
  }
  return total;
}

void RetryBudget::on_request(Instant now) { ++at(now).requests; }

void RetryBudget::on_attempt(bool failed, Instant now) {
  Second& second = at(now);
  ++second.attempts;
  if (failed) ++second.failures;
}

bool RetryBudget::in_outage(Instant now) {
  const Second total = sum(now);
  return total.attempts >= enough_attempts && total.failures * 2 > total.attempts;
}

bool RetryBudget::grant(Instant now) {
  Second& current = at(now);
  if (in_outage(now) && current.retries >= floor_per_second) {
    const Second total = sum(now);
    if (total.retries * 5 >= total.requests) return false;
  }
  ++current.retries;
  return true;
}

NextStep decide(const RetryPolicy& policy, const RetryState& state, const Attempt& attempt, RetryBudget& budget,
                Instant now) {
  // Bytes that are with the client cannot be taken back: whatever went wrong, this answer is the client's.
  if (attempt.relayed > 0) return NextStep::relay;
  if (attempt.fault == Fault::none || attempt.fault == Fault::caller) return NextStep::relay;
  if (!calls_for_retry(attempt.fault)) return NextStep::give_up;
  const bool possible =
      state.attempts_made < policy.attempts && state.replayable && now - state.started < policy.deadline;
  if (!possible) return last_step(attempt);
  if (attempt.fault == Fault::stale_connection) return NextStep::retry;
  // A key that has just been found wanting is not usable, and a model unknown to two keys is unknown.
  const bool needs_another_key = is_about_key(attempt.fault) || attempt.fault == Fault::unknown_model;
  if (needs_another_key && !state.untried_key_left) return last_step(attempt);
  if (attempt.fault == Fault::unknown_model && state.unknown_model_answers > 1) return last_step(attempt);
  if (!budget.grant(now)) return last_step(attempt);
  return state.untried_key_left ? NextStep::retry : NextStep::retry_paused;
}

}  // namespace proxyxai
