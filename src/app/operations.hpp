#pragma once

#include <functional>

#include "proxyxai/base/metrics.hpp"
#include "proxyxai/net/connection.hpp"

namespace proxyxai {

/// The operator's listener: `/metrics`, `/healthz`, `/readyz`. Never on the public port. Loop thread only.
class Operations final : public RequestHandler {
 public:
  /// `is_ready`: whether new requests should be sent here.
  Operations(Metrics& metrics, std::function<bool()> is_ready) : metrics_(metrics), is_ready_(std::move(is_ready)) {}

  Task<bool> serve(Connection& client) override;
  void on_refused(const Connection&, const GateRefusal&) override {}

 private:
  ApiResponse answer(std::string_view method, std::string_view path);

  Metrics& metrics_;
  const std::function<bool()> is_ready_;
};

}  // namespace proxyxai
