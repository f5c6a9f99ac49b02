#include "socket_end.hpp"

#include <cstdint>

#include "proxyxai/http/handler.hpp"

namespace proxyxai {
namespace {

constexpr std::uint16_t gone_away = 1001, policy_violation = 1008, try_again_later = 1013;  // RFC 6455 section 7.4.1

ApiError error_of(std::string_view reason) {
  if (reason == socket_end::out_of_credit) return {429, socket_end::out_of_credit, "Insufficient balance", {}, true};
  if (reason == socket_end::out_of_rate) return {429, socket_end::out_of_rate, "Rate limit reached: no further turn is possible now.", {}, false};
  if (reason == socket_end::not_found) return {404, socket_end::not_found, "An object that the message names was not found.", {}, true};
  if (reason == socket_end::key_stopped) return {401, socket_end::key_stopped, "This key is no longer valid.", {}, true};
  if (reason == socket_end::bad_frame) return {400, socket_end::bad_frame, "The message could not be read.", {}, true};
  return {503, socket_end::not_stored, "The server cannot write down what this costs now. Try again later.", {}, false};
}

/// RFC 6455 section 5.5.1; `reason` is short.
std::string close_frame(std::uint16_t code, std::string_view reason) {
  std::string frame{'\x88', static_cast<char>(2 + reason.size()), static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return frame.append(reason);
}

/// `{"type":"error","status":404,"error":{...}}` as text; its length takes two bytes, for it is longer than 125 and shorter than 65,536.
std::string error_frame(const ApiError& error) {
  std::string event = error_body(error);
  event.insert(1, "\"type\":\"error\",\"status\":" + std::to_string(error.status) + ",");
  std::string frame{'\x81', 126, static_cast<char>(event.size() >> 8), static_cast<char>(event.size() & 0xff)};
  return frame.append(event);
}

}  // namespace

std::string farewell_frames(std::string_view reason) {
  // Nobody has done anything wrong.
  if (reason == socket_end::going_away) return close_frame(gone_away, "the server is restarting; connect again");
  const ApiError error = error_of(reason);
  return error_frame(error) + close_frame(reason == socket_end::not_stored ? try_again_later : policy_violation, reason);
}

}  // namespace proxyxai
