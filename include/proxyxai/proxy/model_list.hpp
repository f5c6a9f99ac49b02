#pragma once

#include <optional>
#include <string>

#include "proxyxai/objects/directory.hpp"
#include "proxyxai/proxy/request_context.hpp"
#include "proxyxai/proxy/upstream_reader.hpp"

namespace proxyxai {

/// The list of models as an account may see it: without those it may not use, and with the fine-tuned ones that are its own, whichever
/// key they live under, and nobody else's. Loop thread only.
class ModelList {
 public:
  struct Parts {
    ObjectDirectory& objects;
    UpstreamReader& reader;
  };
  explicit ModelList(Parts parts) : parts_(parts) {}

  /// The largest list that is read.
  static constexpr std::size_t most_bytes = 4 << 20;

  /// True for the answer of `GET /v1/models` to an account other than root.
  static bool concerns(const RequestContext& request);
  /// The list for the request's account, made of one key's; as it came where nothing differs. Nullopt: it is no list.
  Task<std::optional<std::string>> made_of(RequestContext& request, std::string body) const;

 private:
  const Parts parts_;
};

}  // namespace proxyxai
