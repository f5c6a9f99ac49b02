#include "work.hpp"

#include <algorithm>

#include "recorder.hpp"

namespace mock {

Work::Work(const Request& request, std::vector<std::string> stages, std::function<void(Object&)> finish)
    : looks_(static_cast<std::int64_t>(request.number("x-mock-looks", 2))),
      span_ms_(static_cast<std::int64_t>(request.number("x-mock-work-ms", 0))),
      began_ms_(now_ms()),
      stages_(std::move(stages)),
      finish_(std::move(finish)) {}

const std::string& Work::stage() const {
  const auto last = static_cast<std::int64_t>(stages_.size()) - 1;
  const std::int64_t at = span_ms_ > 0 ? elapsed() * (last + 1) / span_ms_ : seen_;
  return stages_[static_cast<std::size_t>(std::min(at, last))];
}

std::int64_t Work::elapsed() const { return span_ms_ > 0 ? now_ms() - began_ms_ : seen_; }

}  // namespace mock
