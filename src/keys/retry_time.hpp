#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/keys/classify.hpp"

namespace proxyxai {

/// When a 429 says to come back, from the first source that tells: retry-after-ms, retry-after, the message, the resets
/// of x-ratelimit. Between 0 and 24 hours; nullopt when nothing tells.
std::optional<milliseconds> retry_time(const Answer& answer, std::string_view message);

/// The date form of Retry-After, `Sun, 06 Nov 1994 08:49:37 GMT`; nullopt when it is none.
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace proxyxai
