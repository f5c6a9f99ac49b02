#pragma once

#include <optional>
#include <vector>

#include "proxyxai/base/api_error.hpp"
#include "proxyxai/objects/directory.hpp"
#include "proxyxai/proxy/pending_bills.hpp"
#include "proxyxai/proxy/request_context.hpp"

namespace proxyxai {

/// The phase `locate`: what of upstream's a request names, whether its account may reach that, and under which key it lives.
/// Loop thread only.
class Locator {
 public:
  Locator(ObjectDirectory& objects, PendingBills& pending) : objects_(objects), pending_(pending) {}

  /// False: the request names nothing of upstream's and makes nothing there; most do not.
  static bool concerns(const RequestContext& request);
  /// Fills in the request's "locate". What the account does not reach is refused as if it did not exist.
  Task<std::optional<ApiError>> locate(RequestContext& request) const;

 private:
  /// Binds the request to the key that holds what it names.
  static std::optional<ApiError> bind(RequestContext& request, const std::vector<ObjectName>& named, const std::vector<ObjectDirectory::Found>& found);
  static std::optional<ApiError> collect(const RequestContext& request, std::vector<ObjectName>& named);

  ObjectDirectory& objects_;
  PendingBills& pending_;
};

/// The key holds an item that the request names and its account does not reach.
bool is_avoided(const RequestContext& request, KeyId key);

/// No key may be asked but those that hold another's item: as if nobody knew it.
ApiError item_not_found();

/// A list of things that upstream keeps, of which an account must see its own only.
bool asks_for_list(const RequestContext& request);

}  // namespace proxyxai
