#pragma once

#include <vector>

#include "proxyxai/admin/management_api.hpp"
#include "proxyxai/http/cors.hpp"
#include "proxyxai/net/connection.hpp"
#include "proxyxai/proxy/gateway.hpp"

namespace proxyxai {

/// Every request of the public port, sent where it belongs: CORS preflights, the management API, the proxy. Loop thread
/// only.
class Front final : public RequestHandler {
 public:
  struct Parts {
    Clock& clock;
    AccountDirectory& accounts;
    const Cors& cors;
    Observer& observer;
    Gateway& gateway;
    std::vector<ManagementApi*> management;
  };
  explicit Front(Parts parts) : parts_(std::move(parts)) {}

  Task<bool> serve(Connection& client) override;
  void on_refused(const Connection& client, const GateRefusal& refusal) override;

 private:
  Task<bool> manage(Connection& client, std::string_view path, std::string_view query);
  Task<ApiResponse> answer(Connection& client, ApiRequest request, AccountPtr& caller);
  static Task<std::optional<ApiError>> read_body(Connection& client, std::size_t most, std::string& body);
  Task<bool> finish(Connection& client, std::string_view path, ApiResponse response);
  Task<bool> finish(Connection& client, std::string_view path, ApiResponse response, AccountPtr caller, Instant started);

  const Parts parts_;
};

}  // namespace proxyxai
