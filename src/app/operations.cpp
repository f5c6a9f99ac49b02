#include "operations.hpp"

namespace proxyxai {

Task<bool> Operations::serve(Connection& client) {
  const std::string_view target = client.request().target();
  const ApiResponse response = answer(client.request().method(), target.substr(0, target.find('?')));
  co_return co_await client.respond(response);
}

ApiResponse Operations::answer(std::string_view method, std::string_view path) {
  ApiResponse response;
  if (method != "GET" && method != "HEAD") {
    return to_response({405, "method_not_allowed", "This listener only answers GET.", {}, true});
  }
  if (path == "/metrics") {
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics_.render();
    return response;
  }
  response.content_type = "text/plain; charset=utf-8";
  if (path == "/healthz") {
    response.body = "ok\n";
    return response;
  }
  if (path == "/readyz") {
    const char* const hindrance = hindrance_();
    response.status = hindrance == nullptr ? 200 : 503;
    response.body = hindrance == nullptr ? "ready\n" : "not ready: " + std::string(hindrance) + "\n";
    return response;
  }
  return to_response({404, "not_found", "This listener has /metrics, /healthz and /readyz.", {}, true});
}

}  // namespace proxyxai
