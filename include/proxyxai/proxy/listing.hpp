#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "proxyxai/base/api_error.hpp"
#include "proxyxai/objects/directory.hpp"
#include "proxyxai/proxy/relay.hpp"
#include "proxyxai/proxy/upstream_reader.hpp"

namespace proxyxai {

/// Answers lists of what upstream keeps (`GET /v1/files` and the like): which objects there are, in which order, is known here, and
/// each is read from the key it lives under, as it is now. So a page costs as much as it shows, holds nobody else's, and spans
/// the keys. Loop thread only.
class Listing {
 public:
  struct Parts {
    Executor executor;
    ObjectDirectory& objects;
    UpstreamReader& reader;
    const Relay& relay;
  };
  explicit Listing(Parts parts) : parts_(std::move(parts)) {}

  /// Answers the request, or says why not.
  Task<std::optional<ApiError>> answer(RequestContext& request);

 private:
  struct Page;
  Task<std::optional<ApiError>> answer_one(RequestContext& request) const;
  Task<std::optional<ApiError>> fill(RequestContext& request, Page& page) const;
  [[nodiscard]] Task<std::vector<UpstreamReader::Answer>> read(const Page& page, std::vector<ObjectRow> rows, std::string family, std::string fields) const;

  const Parts parts_;
  std::vector<const Account*> under_way_;  // whose lists are being made; a page in the making takes memory
};

}  // namespace proxyxai
