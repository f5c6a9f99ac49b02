#include "proxyxai/http/cors.hpp"

#include <algorithm>

namespace proxyxai {

Cors::Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {
  any_ = std::find(origins_.begin(), origins_.end(), "*") != origins_.end();
}

void Cors::append(std::string& out, const Fields& request) const {
  const auto origin = find(request, beast_http::field::origin);
  if (origin.empty()) return;
  if (any_) {
    out.append("Access-Control-Allow-Origin: *\r\n");
  } else {
    out.append("Vary: Origin\r\n");
    if (std::find(origins_.begin(), origins_.end(), origin) == origins_.end()) return;
    out.append("Access-Control-Allow-Origin: ").append(origin).append("\r\n");
  }
  out.append(
      "Access-Control-Expose-Headers: x-request-id, x-proxyxai-attempts, retry-after, openai-processing-ms, "
      "x-ratelimit-limit-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-requests, "
      "x-ratelimit-remaining-tokens, x-ratelimit-reset-requests, x-ratelimit-reset-tokens\r\n");
}

ApiResponse Cors::preflight(const Fields& request) {
  ApiResponse response;
  response.status = 204;
  const auto requested = find(request, beast_http::field::access_control_request_headers);
  response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE, OPTIONS");
  if (!requested.empty()) response.headers.emplace_back("Access-Control-Allow-Headers", std::string(requested));
  response.headers.emplace_back("Access-Control-Max-Age", "86400");
  return response;
}

}  // namespace proxyxai
