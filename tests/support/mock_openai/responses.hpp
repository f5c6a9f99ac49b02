#pragma once

#include "request.hpp"

namespace mock {

/// The finished response to a body of /v1/responses.
ordered_json response_of(const Request& request, const ordered_json& body);
/// The compacted conversation that /v1/responses/compact gives.
ordered_json compaction_of(const Request& request);
/// The events of a streamed response, the same over SSE and a WebSocket.
std::vector<ordered_json> response_events(const Request& request, const ordered_json& body);

}  // namespace mock
