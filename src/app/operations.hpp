#pragma once

#include <functional>

#include "proxyxai/base/metrics.hpp"
#include "proxyxai/net/connection.hpp"

namespace proxyxai {

/// The operator's listener: `/metrics`, `/healthz`, `/readyz`. Never on the public port. Loop thread only.
class Operations final : public RequestHandler {
 public:
  /// `hindrance`: why no new requests should be sent here; null: they should.
  Operations(Metrics& metrics, std::function<const char*()> hindrance) : metrics_(metrics), hindrance_(std::move(hindrance)) {}

  Task<bool> serve(Connection& client) override;
  void on_refused(const Connection&, const GateRefusal&) override {}

 private:
  ApiResponse answer(std::string_view method, std::string_view path);

  Metrics& metrics_;
  const std::function<const char*()> hindrance_;
};

}  // namespace proxyxai
