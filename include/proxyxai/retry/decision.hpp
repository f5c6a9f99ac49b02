#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "proxyxai/base/attempt.hpp"
#include "proxyxai/base/clock.hpp"

namespace proxyxai {

/// The limits of one request's attempts (settings RETRY_ATTEMPTS, RETRY_DEADLINE).
struct RetryPolicy {
  unsigned attempts = 5;            ///< In all, the first included; at least 1.
  milliseconds deadline{600'000};   ///< Over all attempts, from the first.
  milliseconds pause{100};          ///< Upper bound of the jittered pause once every key has been tried.
};

/// Keeps an outage from being multiplied: while at least half of the attempts of the last 10 seconds succeed every
/// retry is granted; below that, retries are at most 20 % of requests, with a floor of 10 a second. Loop thread only.
class RetryBudget {
 public:
  /// Counts one request that starts (its first attempt).
  void on_request(Instant now);
  /// Counts the end of one attempt; `failed` when its fault calls for a retry.
  void on_attempt(bool failed, Instant now);
  /// True, and the retry is counted, when the budget allows one more now.
  bool grant(Instant now);
  /// True while more than half of the attempts in the window failed.
  [[nodiscard]] bool in_outage(Instant now);

 private:
  /// One second of history; ten of them make the window.
  struct Second {
    std::int64_t number = -1;
    std::uint32_t requests = 0, attempts = 0, failures = 0, retries = 0;
  };
  Second& at(Instant now);
  [[nodiscard]] Second sum(Instant now) const;

  std::array<Second, 10> window_{};
};

enum class NextStep : std::uint8_t {
  relay,         ///< Give the client this answer.
  retry,         ///< Try again at once, on a key not tried yet if there is one.
  retry_paused,  ///< Try again after a jittered pause: every usable key has been tried.
  give_up,       ///< Answer 503 `no_upstream_available`: the answer is about the key, or there is none.
};

/// What is known of the request when an attempt has ended.
struct RetryState {
  unsigned attempts_made = 1;       ///< Attempts so far, the one that just ended included.
  Instant started;                  ///< Start of the first attempt.
  bool untried_key_left = true;     ///< The pool has a usable key that this request has not tried.
  unsigned unknown_model_answers = 0;  ///< How many attempts ended in Fault::unknown_model, this one included.
  bool replayable = true;           ///< The request body can be sent again.
};

/// The one decision after an attempt: pure but for what it takes from the budget. The rules are those of "Forward and
/// retry" in docs/architecture.md. Loop thread only.
NextStep decide(const RetryPolicy& policy, const RetryState& state, const Attempt& attempt, RetryBudget& budget,
                Instant now);

}  // namespace proxyxai
