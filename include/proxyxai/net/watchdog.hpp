#pragma once

#include <poll.h>

#include <functional>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/task.hpp"

namespace proxyxai {

class Deadline;
class PeerWatch;

/// Every deadline and every "is the peer still there?" of the loop, looked at together 20 times a second.
///
/// A timer or a pending read for each request would cost more than the request; here setting a deadline is one store, and
/// watching for a peer that leaves costs nothing on requests that end within a tick. The price is a resolution of 50 ms.
/// Loop thread only; must outlive every Deadline and PeerWatch made on it.
class Watchdog {
 public:
  static constexpr milliseconds tick{50};

  explicit Watchdog(Executor executor);

  /// Runs until `stop`. `on_tick` is called at each tick, for other periodic work of the loop.
  void start(std::function<void(Instant)> on_tick = {});
  void stop();

  /// The time of the last tick: at most 50 ms old, and free to read.
  [[nodiscard]] Instant coarse_now() const { return now_; }

 private:
  friend class Deadline;
  friend class PeerWatch;
  void wait();
  void check_deadlines();
  void check_peers();

  boost::asio::steady_timer timer_;
  std::function<void(Instant)> on_tick_;
  bool stopped_ = false;
  Instant now_ = std::chrono::steady_clock::now();
  // Parallel arrays, so that the scans of a tick walk contiguous memory.
  std::vector<Instant> due_;
  std::vector<Deadline*> deadlines_;
  std::vector<pollfd> polled_;
  std::vector<PeerWatch*> watches_;
};

/// One deadline that can be set again and again. The callback runs on the loop at most one tick late, once per `set`; it
/// may close sockets and must not destroy this object or any other user of the watchdog.
class Deadline {
 public:
  Deadline(Watchdog& watchdog, std::function<void()> on_expiry);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void set(milliseconds from_now);
  void clear();

 private:
  friend class Watchdog;
  Watchdog& watchdog_;
  std::function<void()> on_expiry_;
  std::size_t slot_;
};

/// Watches one socket for events while nobody reads it: POLLRDHUP to learn that a client left while it waits for its
/// answer, POLLIN to learn that an upstream answers, or closes, when it should be silent. The rules of Deadline's callback
/// hold; the watch disarms itself before it calls.
class PeerWatch {
 public:
  PeerWatch(Watchdog& watchdog, std::function<void()> on_event);
  ~PeerWatch();
  PeerWatch(const PeerWatch&) = delete;
  PeerWatch& operator=(const PeerWatch&) = delete;

  void arm(int descriptor, short events);
  void disarm();

 private:
  friend class Watchdog;
  static constexpr std::size_t unarmed = static_cast<std::size_t>(-1);
  Watchdog& watchdog_;
  std::function<void()> on_event_;
  std::size_t slot_ = unarmed;
};

}  // namespace proxyxai
