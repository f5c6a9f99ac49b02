#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "request.hpp"

namespace mock {

/// What has been asked of the mock, for assertions. Bounded to the last requests.
class Recorder {
 public:
  /// Records a request; the number is for `finish`.
  std::uint64_t start(const Request& request, std::uint64_t connection, bool tls_resumed);
  void finish(std::uint64_t number, const std::string& outcome, unsigned status);
  void clear();

  void on_open(bool resumed);
  void on_close() { --open_; }

  [[nodiscard]] ordered_json requests(std::uint64_t since) const;
  [[nodiscard]] ordered_json stats() const;
  /// One figure of `stats` by name.
  [[nodiscard]] std::uint64_t figure(const std::string& name) const;

 private:
  static constexpr std::size_t most = 20'000;
  std::deque<ordered_json> kept_;
  std::uint64_t next_ = 1;
  std::uint64_t open_ = 0, opened_ = 0, resumed_ = 0, total_ = 0, gone_ = 0;
  std::map<std::string, std::uint64_t> by_key_, by_status_;
};

std::int64_t now_ms();

}  // namespace mock
