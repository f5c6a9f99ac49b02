#pragma once

#include <string_view>

#include "proxyxai/http/parser.hpp"

namespace proxyxai {

/// The virtual key a request carries, in the first of these that is there: `Authorization: Bearer K`, `Authorization: K`,
/// `api-key: K`, `x-api-key: K`, the WebSocket subprotocol `openai-insecure-api-key.K`. Empty: none. Any thread.
std::string_view find_credential(const Fields& fields);

/// The length beyond which no credential is looked at.
inline constexpr std::size_t max_credential = 512;

}  // namespace proxyxai
