#pragma once

#include <functional>
#include <string>

#include "proxyxai/admin/management_api.hpp"

namespace proxyxai {

/// `GET /x-stats`: root sees how the daemon does. What is counted is counted since the start: whoever wants rates asks twice. Loop
/// thread only.
class StatsApi final : public ManagementApi {
 public:
  /// `stats` gives the JSON of the answer.
  explicit StatsApi(std::function<std::string()> stats) : stats_(std::move(stats)) {}

  [[nodiscard]] bool owns(std::string_view path) const override;
  [[nodiscard]] std::size_t max_body(bool) const override { return 0; }
  Task<ApiResponse> handle(ApiRequest request, AccountPtr caller) override;

 private:
  const std::function<std::string()> stats_;
};

}  // namespace proxyxai
