#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace proxyxai {

/// Identity of an upstream key in the database; positive.
using KeyId = std::int64_t;

/// What one attempt at the upstream came to, and so whose fault it was. `keys` and `retry` decide by this alone.
enum class Fault : std::uint8_t {
  none,             ///< Answered well.
  caller,           ///< The request itself is at fault (other 4xx): pass the answer on, blame no key.
  unknown_model,    ///< 404 model_not_found: another key may know the model; try one, then pass the answer on.
  upstream,         ///< 5xx, refused, reset, timed out, TLS failure: retry; a strike against the key.
  overloaded,       ///< 503 server_is_overloaded, 529: retry; nobody's fault.
  stale_connection, ///< A kept connection died before a byte of the answer: retry; nobody's fault.
  rate_limited,     ///< 429: the key cools, for the model only, until `retry_after`.
  exhausted,        ///< No money or quota left on the key, until a probe succeeds.
  no_access,        ///< The key may not use this model (`model` scope) or this endpoint (`endpoint` scope).
  dead,             ///< The key is invalid, its account deactivated or terminated.
  suspended,        ///< Our address is not authorised, or the key left its organisation: disable and alert.
  egress,           ///< Upstream refuses our country or region: no key's fault; alert.
  client_gone,      ///< The client went away: no key's fault.
  ours,             ///< Our own limit or failure: no key's fault.
};

/// The stable token of a fault, used in logs, metrics and listings, e.g. `rate_limited`.
const char* to_string(Fault fault);

/// True when the answer speaks about the pool key and so must never reach a client.
bool is_about_key(Fault fault);

/// What a no_access fault excludes.
enum class Scope : std::uint8_t { model, endpoint };

/// The record of one attempt, filled by the phase `forward`.
struct Attempt {
  KeyId key = 0;
  Fault fault = Fault::none;
  Scope scope = Scope::model;               ///< Only for no_access.
  unsigned status = 0;                      ///< HTTP status of the answer; 0 when there was none.
  std::uint64_t sent = 0;                   ///< Bytes of the request given to the upstream connection.
  std::uint64_t received = 0;               ///< Bytes of the answer read from it.
  std::uint64_t relayed = 0;                ///< Bytes of the answer given to the client; > 0 forbids a retry.
  std::string reason;                       ///< The upstream's own code, or ours: `insufficient_quota`, `connect_timeout`.
  std::optional<std::chrono::milliseconds> retry_after;  ///< When upstream said to come back (rate_limited).
};

}  // namespace proxyxai
