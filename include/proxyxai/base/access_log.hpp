#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "proxyxai/base/clock.hpp"

namespace proxyxai {

/// What the access log tells of one request. No body, no query, no secret. Views need only outlive the call.
struct AccessRecord {
  WallTime time{};
  std::string_view request_id, client, method;
  std::string_view trace;           ///< Trace id that the client gave; empty: none.
  std::string_view path;            ///< Without the query.
  std::string_view account;         ///< Name; empty: nobody was recognised.
  unsigned status = 0;
  std::string_view reason;          ///< Token of what went wrong; empty: nothing.
  std::string_view model;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::uint32_t attempts = 0;
  std::int64_t key_id = 0;          ///< Upstream key of the last attempt; 0: none.
  std::uint64_t duration_us = 0, first_byte_us = 0, upstream_us = 0;
};

/// One line a request, collected on the loop and written by a thread of its own in large pieces. Bounded: when the reader
/// of the log stands still, lines are dropped and counted rather than kept.
///
/// `write`, `flush` and `set_enabled` belong to the loop thread.
class AccessLog {
 public:
  /// Writes to `descriptor`, which stays the caller's. `json`: one object a line.
  AccessLog(int descriptor, bool json);
  /// Writes out what waits, for two seconds at most.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  void write(const AccessRecord& record);
  /// Hands the lines collected so far to the thread; to be called every 100 ms or so.
  void flush();
  [[nodiscard]] bool enabled() const { return enabled_; }
  void set_enabled(bool enabled) { enabled_ = enabled; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  void append_time(WallTime time);
  void append_text(const AccessRecord& record);
  void append_json(const AccessRecord& record);
  void run();

  static constexpr std::size_t hand_over_at = 32 << 10;
  static constexpr std::size_t most_waiting = 8 << 20;

  // Loop thread.
  const int descriptor_;
  const bool json_;
  bool enabled_ = true;
  std::string collected_;
  std::uint64_t collected_lines_ = 0, dropped_ = 0;
  std::int64_t shown_second_ = -1;
  char shown_time_[24] = {};

  // Both threads, under mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace proxyxai
