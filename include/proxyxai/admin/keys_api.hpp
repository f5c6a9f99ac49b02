#pragma once

#include "proxyxai/accounts/directory.hpp"
#include "proxyxai/http/handler.hpp"
#include "proxyxai/keys/service.hpp"

namespace proxyxai {

/// `/x-keys`: root loads, lists, changes, probes and deletes upstream keys. Parse, call KeyService, render; no secret is
/// ever in an answer. Loop thread only.
class KeysApi {
 public:
  /// How large a body may be: 100,000 keys in one call fit.
  static constexpr std::size_t max_body = 16 << 20;

  explicit KeysApi(KeyService& keys) : keys_(keys) {}

  /// True for `/x-keys` and what is under it.
  [[nodiscard]] static bool owns(std::string_view path);
  Task<ApiResponse> handle(ApiRequest request, AccountPtr caller);

 private:
  Task<ApiResponse> add(ApiRequest request);
  Task<ApiResponse> change(KeyId id, ApiRequest request);
  ApiResponse list(std::string_view query) const;

  KeyService& keys_;
};

}  // namespace proxyxai
