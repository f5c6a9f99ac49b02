#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxyxai/base/api_error.hpp"

namespace proxyxai {

/// A small request whose body is in memory: the management API and the admin listener. (The proxy's own requests are
/// proxyxai/proxy/request_context.hpp.) Views live as long as the call.
struct ApiRequest {
  std::string_view method;
  std::string_view path;         ///< As the client wrote it, of one spelling (has_one_spelling); no query.
  std::string_view query;        ///< Raw, without `?`.
  std::string_view content_type;
  std::string_view body;
  std::string_view idempotency_key;
  std::string_view client_address;
};

struct ApiResponse {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string_view reason = {};  ///< The error's code, for log and counters; static storage; empty when there is none.
  std::vector<std::pair<std::string, std::string>> headers;  ///< Extra ones.
};

/// The `type` that goes with a status and code (`invalid_request_error`, `authentication_error`, `permission_error`,
/// `rate_limit_error`, `insufficient_quota`, `server_error`).
std::string_view error_type(const ApiError& error);

/// The JSON body of an error; safe for any bytes in `message` and `param`.
std::string error_body(const ApiError& error);

/// The whole response of an error, as handlers return it.
ApiResponse to_response(const ApiError& error);

/// 405 with `Allow`: `allowed` is the list of methods that the path takes (RFC 9110 15.5.6).
ApiResponse wrong_method(std::string_view allowed);

}  // namespace proxyxai
