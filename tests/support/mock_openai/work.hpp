#pragma once

#include <functional>
#include <string>
#include <vector>

#include "request.hpp"

namespace mock {

struct Object;

/// What takes upstream a while. It is done once it has been looked at `x-mock-looks` times (2), or, if the request that began it
/// said so, `x-mock-work-ms` after that.
class Work {
 public:
  /// `stages` are the states before the end, the first one that in which it begins.
  Work(const Request& request, std::vector<std::string> stages, std::function<void(Object&)> finish);

  void look() { ++seen_; }
  [[nodiscard]] bool is_done() const { return elapsed() >= wanted(); }
  [[nodiscard]] const std::string& stage() const;
  [[nodiscard]] std::function<void(Object&)> take_finish() { return std::move(finish_); }

 private:
  [[nodiscard]] std::int64_t elapsed() const;
  [[nodiscard]] std::int64_t wanted() const { return span_ms_ > 0 ? span_ms_ : looks_; }

  std::int64_t looks_, span_ms_, began_ms_, seen_ = 0;
  std::vector<std::string> stages_;
  std::function<void(Object&)> finish_;
};

}  // namespace mock
