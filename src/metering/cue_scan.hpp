#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace proxyxai {

/// Reads the latest time of subtitles (SRT, WebVTT) while they pass in pieces of any size. One answer; loop thread.
class CueScan {
 public:
  void feed(std::string_view piece);
  void finish() { end_line(); }
  /// Where the last cue ends; 0: there was none.
  [[nodiscard]] std::int64_t milliseconds() const { return latest_; }

 private:
  void end_line();

  std::string line_;  // the start of the present line
  std::int64_t latest_ = 0;
};

}  // namespace proxyxai
