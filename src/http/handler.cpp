#include "proxyxai/http/handler.hpp"

#include <nlohmann/json.hpp>

namespace proxyxai {

std::string_view error_type(const ApiError& error) {
  if (error.code == "insufficient_quota") return "insufficient_quota";
  switch (error.status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 429: return "rate_limit_error";
    default: return error.status >= 500 ? "server_error" : "invalid_request_error";
  }
}

std::string error_body(const ApiError& error) {
  const nlohmann::ordered_json body = {
      {"error",
       {{"message", error.message},
        {"type", error_type(error)},
        {"param", error.param.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(error.param)},
        {"code", error.code}}}};
  // A message may quote what the client sent; bytes that are no UTF-8 become U+FFFD rather than an exception.
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

ApiResponse to_response(const ApiError& error) {
  ApiResponse response;
  response.status = error.status;
  response.reason = error.code;
  response.body = error_body(error);
  if (error.final) response.headers.emplace_back("x-should-retry", "false");
  if (error.retry_after) {
    response.headers.emplace_back("retry-after", std::to_string(std::chrono::ceil<seconds>(*error.retry_after).count()));
    response.headers.emplace_back("retry-after-ms", std::to_string(error.retry_after->count()));
  }
  return response;
}

ApiResponse wrong_method(std::string_view allowed) {
  ApiResponse response = to_response({405, "method_not_allowed", "This path takes " + std::string(allowed) + ".", {}, true});
  response.headers.emplace_back("Allow", std::string(allowed));
  return response;
}

}  // namespace proxyxai
