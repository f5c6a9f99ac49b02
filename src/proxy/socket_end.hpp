#pragma once

#include <string>
#include <string_view>

namespace proxyxai {

/// Why this side ends a WebSocket: tokens of RequestContext::reason.
namespace socket_end {
inline constexpr std::string_view out_of_credit = "insufficient_quota", out_of_rate = "rate_limit_exceeded", not_found = "not_found",
                                  bad_frame = "bad_frame", not_stored = "storage_unavailable",
                                  going_away = "going_away", key_stopped = "invalid_api_key";
}  // namespace socket_end

/// The last frames to the client: an event that says so as upstream's errors look, and the one that closes.
std::string farewell_frames(std::string_view reason);

}  // namespace proxyxai
