#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/window.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {

/// What one key has in flight, and what its quota has counted. Owned by the key's entry in the pool and by the leases on the key,
/// which may outlive the entry and the pool. Loop thread.
class KeyLoad {
 public:
  explicit KeyLoad(const Clock& clock) : clock_(clock) {}

  /// What has been counted stays counted.
  void limit_to(const KeyQuota& quota);
  [[nodiscard]] bool is_limited() const { return is_limited_; }
  /// When it may take one more request of so many tokens; `now`: at once.
  [[nodiscard]] Instant free_at(std::int64_t tokens, Instant now);
  [[nodiscard]] std::size_t in_flight() const { return in_flight_; }

  /// What is in flight on the key counts in `total` too, which must live until it leaves.
  void join(std::size_t& total);
  void leave();

  /// Counts a request; the result names the time for `correct`, when its tokens were counted.
  std::optional<std::int64_t> begin(std::int64_t tokens, Instant now);
  void end();
  void correct(std::int64_t time, std::int64_t difference);

 private:
  const Clock& clock_;  // not used when leases are only ended
  std::size_t in_flight_ = 0;
  std::size_t* total_ = nullptr;
  std::int64_t concurrency_ = 0;
  bool is_limited_ = false;
  SlidingWindow requests_{seconds(60), 0}, tokens_{seconds(60), 0};
};

}  // namespace proxyxai
