#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/keys/upstream_key.hpp"

namespace proxyxai {

class KeyLoad;

/// One request's place on the key that was chosen for it: points to the key, keeps it alive, and counts among the key's requests
/// in flight until it ends or dies. Right whatever becomes of the key and of the pool meanwhile. Loop thread.
// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): one assignment, by value, serves for both
class KeyLease {
 public:
  KeyLease() = default;
  /// Counts one request and `tokens`, an estimate, in the windows of the key's quota.
  KeyLease(UpstreamKeyPtr key, std::shared_ptr<KeyLoad> load, std::int64_t tokens, Instant now);
  KeyLease(KeyLease&& other) noexcept = default;
  KeyLease& operator=(KeyLease other) noexcept;
  ~KeyLease() { end(); }

  explicit operator bool() const { return key_ != nullptr; }
  const UpstreamKey& operator*() const { return *key_; }
  const UpstreamKey* operator->() const { return key_.get(); }

  /// What the request has really used takes the place of the estimate. Nothing where there is no lease.
  void used(std::int64_t tokens);
  /// Gives the place back and lets go of the key.
  void end();

 private:
  UpstreamKeyPtr key_;
  std::shared_ptr<KeyLoad> load_;
  std::int64_t tokens_ = 0;                 // as counted now
  std::optional<std::int64_t> counted_at_;  // time of the window that counts them; none: the key has no quota
};

}  // namespace proxyxai
