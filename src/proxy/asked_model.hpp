#pragma once

#include <string>

#include "proxyxai/proxy/request_context.hpp"

/// The model that a request asks for. Loop thread only.
namespace proxyxai {

/// Whether upstream reads it in the query, whatever a body says: so it does for realtime sockets.
inline bool asks_in_query(const RequestContext& request) { return request.upgrade && request.endpoint == "realtime"; }

/// Makes the request ask for `name` where it has named another; `facts.model` becomes `name`. Nothing else of it changes.
void ask_for_model(RequestContext& request, const std::string& name);

}  // namespace proxyxai
