#pragma once

#include <string>
#include <string_view>

#include "proxyxai/http/cors.hpp"
#include "proxyxai/proxy/billing.hpp"
#include "proxyxai/proxy/model_list.hpp"
#include "proxyxai/proxy/object_record.hpp"
#include "proxyxai/proxy/request_context.hpp"

namespace proxyxai {

/// Passes answers to clients. Each piece goes on as soon as it is there, and none is read before the last is written, so
/// that a slow reader costs one piece. The end of an answer that costs something leaves once its cost is stored. Loop thread only.
class Relay {
 public:
  struct Parts {
    Billing& billing;
    ObjectDirectory& objects;
    PendingBills& pending;
    UpstreamReader& reader;
    const Cors& cors;
    Clock& clock;
  };
  Relay(const Parts& parts, milliseconds idle_timeout)
      : billing_(parts.billing),
        record_(parts.objects, parts.pending),
        models_({parts.objects, parts.reader}),
        cors_(parts.cors),
        clock_(parts.clock),
        idle_timeout_(idle_timeout) {}

  /// The answer on `request.exchange`. An upstream that breaks off leaves the client's body visibly truncated.
  Task<void> pass(RequestContext& request) const;
  /// An answer kept from an earlier attempt.
  Task<void> pass_saved(RequestContext& request, const ErrorAnswer& answer) const;
  /// An answer of our own.
  Task<void> refuse(RequestContext& request, ApiError error, std::string_view extra = {}) const;
  /// After a 101: bytes both ways, untouched, until either side ends.
  Task<void> tunnel(RequestContext& request) const;

 private:
  enum class Framing { none, length, chunked, close };
  class Gather;
  class Outlet;
  /// `unread`: what has come of the answer and is not metered yet.
  Task<void> leave(RequestContext& request, UpstreamConnection::Body unread) const;
  Task<void> cut_off(RequestContext& request, Outlet& outlet) const;
  Task<void> fail(RequestContext& request, const Outlet& outlet, Framing framing) const;
  Task<void> pass_models(RequestContext& request) const;
  Task<void> read_on(RequestContext& request, UpstreamConnection::Body piece) const;
  void append_limits(std::string& out, const RequestContext& request) const;
  static void break_off(RequestContext& request, Framing framing);
  void append_own_fields(std::string& out, RequestContext& request, std::string_view upstream_id) const;
  Framing compose_head(std::string& out, RequestContext& request) const;
  struct Tunnel;
  [[nodiscard]] Task<std::string_view> why_not_named(const RequestContext& request, std::vector<ObjectName> named) const;
  [[nodiscard]] std::string_view why_not_more(const Tunnel& tunnel, bool is_turn) const;
  Task<void> pump_up(Tunnel& tunnel) const;
  Task<void> pump_down(Tunnel& tunnel) const;
  [[nodiscard]] milliseconds longest_silence(const Tunnel& tunnel) const;
  void begin(RequestContext& request, unsigned status) const;

  Billing& billing_;
  const ObjectRecord record_;
  const ModelList models_;
  const Cors& cors_;
  Clock& clock_;
  const milliseconds idle_timeout_;
};

}  // namespace proxyxai
