#pragma once

#include <string_view>

#include "proxyxai/base/attempt.hpp"

namespace proxyxai {

/// The parts of an upstream answer that say whose fault it is. Views into the caller's buffers; empty = absent.
struct Answer {
  unsigned status = 0;
  std::string_view body;              ///< First 64 KiB of an error body; may be HTML, may be empty.
  std::string_view retry_after_ms;    ///< Header values, as they came.
  std::string_view retry_after;
  std::string_view reset_requests;    ///< x-ratelimit-reset-requests, e.g. `6m0s`.
  std::string_view reset_tokens;      ///< x-ratelimit-reset-tokens.
  std::string_view remaining_requests;
  std::string_view remaining_tokens;
};

/// Fills `attempt.fault`, `scope`, `reason` and `retry_after` from a complete answer. Total: it never fails, and what it
/// does not know is judged by the status alone. Rules: docs/architecture.md "Whose fault". Any thread.
void classify(const Answer& answer, Attempt& attempt);

/// Length of time in the upstream's notations `1s`, `6m0s`, `174ms`, `1h2m3.5s`; nullopt when it is none.
std::optional<std::chrono::milliseconds> parse_reset(std::string_view text);

}  // namespace proxyxai
