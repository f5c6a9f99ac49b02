#pragma once

#include "proxyxai/base/clock.hpp"

namespace proxyxai {

/// Both clocks, standing still until the test moves them together.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return Instant{} + std::chrono::hours{1} + passed_; }
  [[nodiscard]] WallTime wall_now() const override { return from_unix_ms(1'800'000'000'000) + passed_; }

  void advance(milliseconds step) { passed_ += step; }

 private:
  milliseconds passed_{0};
};

}  // namespace proxyxai
