#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <boost/container/static_vector.hpp>

#include "proxyxai/accounts/directory.hpp"
#include "proxyxai/accounts/hold.hpp"
#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/free_list.hpp"
#include "proxyxai/http/request_body.hpp"
#include "proxyxai/keys/lease.hpp"
#include "proxyxai/metering/answer_meter.hpp"
#include "proxyxai/metering/object_scan.hpp"
#include "proxyxai/metering/prices.hpp"
#include "proxyxai/metering/request_scan.hpp"
#include "proxyxai/net/connection.hpp"
#include "proxyxai/objects/kinds.hpp"
#include "proxyxai/proxy/exchange.hpp"
#include "proxyxai/proxy/route.hpp"

namespace proxyxai {

/// Stands for an HTTP status where the client left before its answer; never sent.
inline constexpr unsigned client_left = 499;
inline ApiError client_gone() { return {client_left, "client_gone", {}, {}, true}; }

/// How much, and how long, an answer is read on for an account that wants abandoned requests billed by upstream's numbers.
inline constexpr std::uint64_t read_on_bytes = 1 << 20;
inline constexpr milliseconds read_on_time{30'000};

/// One client request on its way through the phases: each phase reads what the earlier ones wrote. Owned by
/// Gateway::serve; loop thread only.
struct RequestContext {
  RequestContext(Connection& connection, BodyStore& store, Origins& origins, Instant now)
      : client(connection), started(now), body(store), exchange(origins) {}
  ~RequestContext() = default;
  RequestContext(const RequestContext&) = delete;
  RequestContext& operator=(const RequestContext&) = delete;
  static void* operator new(std::size_t size) { return FreeList<RequestContext>::take(size); }
  static void operator delete(void* block) { FreeList<RequestContext>::give(block); }

  Connection& client;
  const Instant started;

  // listener → session
  std::string_view path, query;      ///< As the client wrote them, but for a model that is mapped.
  std::string own_query;             ///< Then holds `query`.
  Route route;
  std::string_view endpoint;         ///< endpoint_names()[route.endpoint].
  bool upgrade = false;              ///< Asks for a WebSocket.
  bool is_metered = false;           ///< costs_money(): what it uses is charged.
  std::string request_id;            ///< `req_` and 24 digits; given to the client unless upstream gives its own.

  // authenticate
  AccountPtr account;

  // receive
  RequestFacts facts;
  RequestBody body;
  std::uint64_t prompt = 0;          ///< Hash of how its prompt begins; 0: it may go to any key.

  // locate
  std::optional<ObjectPath> object;  ///< What of upstream's the path names.
  std::optional<KeyId> only_key;     ///< Holds what the request names; no other key knows it.
  boost::container::static_vector<KeyId, 16> avoided;  ///< Keys that hold what the request names and may not have; in `tried` from the start.
  bool goes_home = false;            ///< Best under the key of what the account made before, for it makes something that may be used with that.
  std::int64_t input_bytes = 0, batch_output = 0;  ///< Of the lines of a batch's file: text, and tokens that they allow.
  bool makes_objects = false;        ///< Its answer may tell of something new that upstream keeps.

  // hold
  Hold hold;
  bool is_deferred = false;          ///< Upstream goes on with it after it has answered, and tells only later what it used.
  std::shared_ptr<const PriceTable> prices;  ///< In force when the request came.
  const Price* price = nullptr;      ///< Of the model asked for; null: this path costs nothing.
  bool asked_usage = false;          ///< Upstream was asked for usage on the client's behalf.
  std::int64_t covered_tokens = 0;   ///< Output tokens that the hold covers.

  // choose, forward, retry
  KeyLease lease;                    ///< On the key of the present attempt, which answers it in the end; none while there is no such key.
  Instant forwarded{};               ///< When its body was there and it looked for its first key: the attempts' time counts from here.
  Instant waits_until{};             ///< When it has waited long enough for keys, whatever it tried meanwhile; zero: it has not waited.
  Exchange exchange;
  std::string fields;                ///< Header lines for upstream.
  boost::container::static_vector<KeyId, 20> tried;
  unsigned attempts = 0;             ///< Requests that upstream may have seen.
  unsigned unknown_model_answers = 0;
  std::chrono::nanoseconds upstream_time{0};  ///< Spent on attempts, up to the head of each answer.
  Instant attempt_ended{};           ///< When the last attempt had its verdict.
  Fault fault = Fault::none;         ///< Of the last attempt.

  // relay: what it used
  std::optional<AnswerMeter> meter;  ///< Reads the answer; none where it costs nothing.
  std::int64_t delivered = 0;        ///< Output tokens that were passed on, estimated; of a WebSocket since its last bill.
  std::int64_t sent_bytes = 0;       ///< Of a WebSocket: what the client sent since its last bill.
  std::int64_t context_tokens = 0;   ///< Of a WebSocket: what its last turn read and wrote, which the next may read again.
  std::optional<ObjectScan> made;    ///< Reads which objects the answer tells of; none where it tells of none.
  std::string thread_id;             ///< Of a run, as the answer tells it.
  bool is_pending = false;           ///< What it costs has been left to PendingBills.
  Usage usage;
  Money cost, list_cost;
  bool billed = false;               ///< Its row is stored, or on its way.
  Instant left_at{};                 ///< When the client left an answer that is read to its end without it; zero: never.

  // relay, or a refusal
  unsigned status = 0;               ///< What the client was answered; 499: it left before.
  std::string reason;                ///< Token of what went wrong; empty: nothing.
  Instant first_byte{};              ///< When the answer began to be written; zero: never.
  bool keep_alive = false;           ///< The connection may carry another request.

  /// Upstream remembers the items of what this is about, which later requests name one by one.
  [[nodiscard]] bool keeps_items() const { return endpoint == "responses" || endpoint == "conversations"; }

  /// Whether the answer is read on when the client leaves: for accounts that want it, where only the usage is still to come,
  /// where nobody here can tell how much upstream has read, and where upstream goes on whoever listens, under an id that it tells.
  [[nodiscard]] bool reads_on() const {
    if (price == nullptr || upgrade || is_pending) return false;
    return is_deferred || account->row.drains_aborted || facts.refers_to_stored || (meter && meter->is_ending());
  }
};

}  // namespace proxyxai
