#pragma once

#include <string>
#include <string_view>

#include "proxyxai/http/parser.hpp"

namespace proxyxai {

/// Which header fields cross the proxy. Two appenders and nothing else decide it: what they do not append does not pass.
/// Loop thread.

/// Appends to `out` the client's fields that go upstream: not its credentials, cookies, organisation, forwarding and
/// hop-by-hop fields (RFC 9110 7.6.1, with those that Connection names), names with an underscore, those that give another
/// method (X-HTTP-Method-Override, X-HTTP-Method, X-Method-Override), nor what the proxy sets itself (Host, Authorization, Accept-Encoding,
/// Content-Length). With `upgrade`, the WebSocket fields of RFC 6455 4.1 pass but
/// for extensions, and the subprotocol that carries a key is taken out of its list.
void append_upstream_fields(std::string& out, const Fields& fields, bool upgrade);

/// Appends to `out` upstream's fields that go to the client: not Set-Cookie, the operator's organisation and project,
/// alt-svc, strict-transport-security, the pool key's x-ratelimit-*, upstream's CORS answers, framing and hop-by-hop
/// fields. With `upgrade`, the WebSocket fields of a 101 pass.
void append_client_fields(std::string& out, const Fields& fields, bool upgrade);

/// The credential prefix in `Sec-WebSocket-Protocol` that browsers use.
inline constexpr std::string_view websocket_key_prefix = "openai-insecure-api-key.";

}  // namespace proxyxai
