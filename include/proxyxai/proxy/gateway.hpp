#pragma once

#include <optional>

#include "proxyxai/base/cidr.hpp"
#include "proxyxai/keys/pool.hpp"
#include "proxyxai/metering/model_map.hpp"
#include "proxyxai/proxy/billing.hpp"
#include "proxyxai/proxy/listing.hpp"
#include "proxyxai/proxy/locator.hpp"
#include "proxyxai/proxy/observer.hpp"
#include "proxyxai/proxy/relay.hpp"
#include "proxyxai/proxy/request_context.hpp"
#include "proxyxai/retry/decision.hpp"

namespace proxyxai {

/// The request path. Its phases, in order, each a member below:
///
///   authenticate → admit → receive → locate → hold → forward (choose ⟲ exchange ⟲ decide) → relay → settle
///
/// A phase returns an ApiError to refuse the request, which is then answered, or nothing to let it go on. `settle` runs
/// exactly once for every request, whatever became of it. Loop thread only.
class Gateway {
 public:
  struct Settings {
    RetryPolicy retry;
    milliseconds first_byte_timeout{600'000};
    milliseconds idle_timeout{300'000};
    milliseconds max_wait{5'000};       ///< For the earliest cooling key (KEYS_MAX_WAIT).
    bool is_cache_aware = false;        ///< Prompts that begin alike go to one key (ROUTING).
    CidrList trusted_proxies;           ///< Peers whose X-Forwarded-For counts.
  };
  /// What it works on; all of it outlives the gateway.
  struct Parts {
    Executor executor;
    Clock& clock;
    AccountDirectory& accounts;
    Billing& billing;
    ObjectDirectory& objects;
    PendingBills& pending;
    UpstreamReader& reader;
    KeyPool& pool;
    Origins& origins;
    BodyStore& bodies;
    const ModelMap& models;             ///< In force for requests that come; may be replaced between them.
    const Cors& cors;
    Observer& observer;
  };
  Gateway(Parts parts, Settings settings);

  /// Serves one request of the API. `path` has one spelling. True: the connection may carry another request.
  Task<bool> serve(Connection& client, std::string_view path, std::string_view query);

  /// The address a request came from: the peer's, or the right-most X-Forwarded-For entry that no trusted proxy wrote.
  [[nodiscard]] std::string client_address(const Connection& client) const;

  /// Requests between authenticate and settle.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

 private:
  using Refusal = std::optional<ApiError>;
  Task<void> run(RequestContext& request);
  Refusal authenticate(RequestContext& request) const;
  Task<Refusal> look_up_account(RequestContext& request);
  [[nodiscard]] Refusal admit(const RequestContext& request) const;
  bool receive_whole(RequestContext& request) const;
  Task<Refusal> receive(RequestContext& request) const;
  Refusal hold(RequestContext& request) const;
  void map_model(RequestContext& request) const;
  Task<Refusal> forward(RequestContext& request);
  void settle(RequestContext& request);

  void on_left(RequestContext& request) const;
  Task<void> pause(RequestContext& request, std::chrono::nanoseconds length) const;
  Task<Refusal> wait_for_key(RequestContext& request, Instant ready_at);
  Task<void> attempt(RequestContext& request, const Outgoing& outgoing, const UpstreamKey& key);
  void note_body(RequestContext& request);
  void note_capacity(RequestContext& request);
  [[nodiscard]] KeyPool::Wanted wanted(const RequestContext& request) const;

  const Parts parts_;
  const Settings settings_;
  const Relay relay_;
  const Locator locator_;
  Listing listing_;
  RetryBudget budget_;
  std::size_t in_flight_ = 0;
};

}  // namespace proxyxai
