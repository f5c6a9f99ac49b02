#include "cue_scan.hpp"

#include <algorithm>
#include <optional>

#include "usage_reader.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t max_line = 64;  // two times and an arrow take at most half

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `01:02:03,456` or `02:03.456` at the start of `text`, in milliseconds.
std::optional<std::int64_t> read_time(std::string_view text) {
  std::int64_t seconds = 0, part = 0;
  unsigned colons = 0;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (is_digit(text[at])) {
      part = std::min<std::int64_t>(part * 10 + (text[at] - '0'), most_counted);
    } else if (text[at] == ':') {
      seconds = (seconds + part) * 60;
      part = 0;
      ++colons;
    } else {
      break;
    }
  }
  if (colons < 1 || colons > 2 || at + 4 > text.size() || (text[at] != ',' && text[at] != '.')) return std::nullopt;
  std::int64_t milliseconds = 0;
  for (std::size_t i = at + 1; i < at + 4; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    milliseconds = milliseconds * 10 + (text[i] - '0');
  }
  return std::min((seconds + part) * 1000 + milliseconds, most_counted);
}

}  // namespace

void CueScan::feed(std::string_view piece) {
  while (!piece.empty()) {
    const std::size_t end = std::min(piece.find_first_of("\r\n"), piece.size());
    line_.append(piece.substr(0, std::min(end, max_line - line_.size())));
    if (end == piece.size()) return;
    end_line();
    piece.remove_prefix(end + 1);
  }
}

void CueScan::end_line() {
  static constexpr std::string_view arrow = " --> ";
  const auto found = line_.find(arrow);
  if (found != line_.npos && read_time(line_)) {
    if (const auto end = read_time(std::string_view(line_).substr(found + arrow.size()))) latest_ = std::max(latest_, *end);
  }
  line_.clear();
}

}  // namespace proxyxai
