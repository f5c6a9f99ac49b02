#include "proxyxai/net/watchdog.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>

namespace proxyxai {
namespace {

class WatchdogOfLoop : public testing::Test {
 protected:
  /// Runs the loop until `condition`, for 5 seconds at most.
  bool run_until(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + seconds(5);
    while (!condition() && std::chrono::steady_clock::now() < end) loop_.run_one_for(milliseconds(100));
    return condition();
  }
  void SetUp() override { watchdog_.start([this](Instant) { ++ticks_; }); }

  boost::asio::io_context loop_{1};
  Watchdog watchdog_{loop_.get_executor()};
  int ticks_ = 0;
};

TEST_F(WatchdogOfLoop, ADeadlineFiresOnceAndNotEarly) {
  int fired = 0;
  Deadline deadline(watchdog_, [&] { ++fired; });
  const auto begun = std::chrono::steady_clock::now();
  deadline.set(milliseconds(120));
  ASSERT_TRUE(run_until([&] { return fired > 0; }));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(120));
  const int before = ticks_;
  ASSERT_TRUE(run_until([&] { return ticks_ > before + 3; }));
  EXPECT_EQ(fired, 1);
}

TEST_F(WatchdogOfLoop, AClearedOrDestroyedDeadlineDoesNotFire) {
  int fired = 0;
  Deadline cleared(watchdog_, [&] { ++fired; });
  auto destroyed = std::make_unique<Deadline>(watchdog_, [&] { ++fired; });
  Deadline kept(watchdog_, [&] { fired += 10; });
  cleared.set(milliseconds(10));
  destroyed->set(milliseconds(10));
  kept.set(milliseconds(10));
  cleared.clear();
  destroyed.reset();
  ASSERT_TRUE(run_until([&] { return ticks_ > 4; }));
  EXPECT_EQ(fired, 10);
}

TEST_F(WatchdogOfLoop, APeerThatLeavesIsNoticedAndOthersAreNot) {
  std::array<int, 2> leaving{}, staying{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, leaving.data()), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, staying.data()), 0);
  int left = 0, wrong = 0;
  PeerWatch first(watchdog_, [&] { ++left; }), second(watchdog_, [&] { ++wrong; });
  first.arm(leaving[0], POLLRDHUP);
  second.arm(staying[0], POLLRDHUP);
  ::close(leaving[1]);
  ASSERT_TRUE(run_until([&] { return left > 0; }));
  const int before = ticks_;
  ASSERT_TRUE(run_until([&] { return ticks_ > before + 2; }));
  EXPECT_EQ(left, 1) << "a watch disarms itself before it calls";
  EXPECT_EQ(wrong, 0);
  for (const int each : {leaving[0], staying[0], staying[1]}) ::close(each);
}

}  // namespace
}  // namespace proxyxai
