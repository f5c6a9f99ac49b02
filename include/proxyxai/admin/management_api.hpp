#pragma once

#include "proxyxai/accounts/directory.hpp"
#include "proxyxai/http/handler.hpp"

namespace proxyxai {

/// One part of the management API: what stands under paths of its own. Loop thread only.
class ManagementApi {
 public:
  virtual ~ManagementApi() = default;

  /// True for its paths, as they are sent: not decoded.
  [[nodiscard]] virtual bool owns(std::string_view path) const = 0;
  /// How many bytes of a body are read for such a caller: they are kept in memory, outside of the budget of requests. 0: none is
  /// read, whatever is sent.
  [[nodiscard]] virtual std::size_t max_body(bool is_root) const = 0;
  /// Faults of a request are in the answer or thrown as Refused, failures of the store are thrown as StorageError.
  virtual Task<ApiResponse> handle(ApiRequest request, AccountPtr caller) = 0;
};

}  // namespace proxyxai
