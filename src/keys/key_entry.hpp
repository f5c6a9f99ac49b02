#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxyxai/keys/pool.hpp"

#include "key_limits.hpp"
#include "key_load.hpp"
#include "rotation.hpp"

namespace proxyxai {

/// One key in the pool with all that is known of its health. Indexes point at it, so it never moves; `state`, `until`,
/// `turn` and `probing` are what they sort by and change only while it is out of them.
struct KeyEntry {
  explicit KeyEntry(const Clock& clock) : load(std::make_shared<KeyLoad>(clock)) {}

  UpstreamKeyPtr key;

  KeyState state = KeyState::active;
  std::string reason;
  WallTime since{};
  Instant until{};                   ///< Resting: next half-open request; exhausted: next probe.

  unsigned strikes = 0;              ///< Upstream faults since the last sign of life.
  unsigned cuts = 0;                 ///< Answers that broke off since the last whole one.
  std::uint64_t first_strike = 0;    ///< The pool's event that was the first of them.
  milliseconds rest{};               ///< Length of the present rest.
  bool half_open = false;            ///< One client request is trying out a rested key.
  milliseconds probe_wait{};         ///< Wait before the coming probe; zero once a request has succeeded.
  bool probing = false;              ///< A due probe was handed out.

  KeyLimits limits;                  ///< Set by upstream.
  bool has_quota = false;            ///< Limits set by the operator, of which `load` keeps count.
  const std::shared_ptr<KeyLoad> load;
  Turn turn;

  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::optional<WallTime> last_used;

  [[nodiscard]] Access access(const KeyPool::Wanted& wanted, Instant now) const {
    Access access = limits.access(wanted.model, wanted.endpoint, now);
    if (!has_quota || access.kind == Access::Kind::excluded) return access;
    const Instant free_at = load->free_at(wanted.tokens, now);
    if (free_at > now) access = {Access::Kind::cooling, std::max(access.until, free_at)};
    return access;
  }
};

}  // namespace proxyxai
