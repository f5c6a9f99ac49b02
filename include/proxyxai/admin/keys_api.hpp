#pragma once

#include "proxyxai/admin/management_api.hpp"
#include "proxyxai/keys/service.hpp"

namespace proxyxai {

/// `/x-keys`: root loads, lists, changes, probes and deletes upstream keys. Parse, call KeyService, render; no secret is
/// ever in an answer. Loop thread only.
class KeysApi final : public ManagementApi {
 public:
  explicit KeysApi(KeyService& keys) : keys_(keys) {}

  [[nodiscard]] bool owns(std::string_view path) const override;
  /// 16 MiB: 100,000 keys in one call fit.
  [[nodiscard]] std::size_t max_body(bool is_root) const override { return is_root ? 16 << 20 : 0; }
  Task<ApiResponse> handle(ApiRequest request, AccountPtr caller) override;

 private:
  Task<ApiResponse> add(ApiRequest request);
  Task<ApiResponse> change(KeyId id, ApiRequest request);
  [[nodiscard]] ApiResponse list(std::string_view query) const;

  KeyService& keys_;
};

}  // namespace proxyxai
