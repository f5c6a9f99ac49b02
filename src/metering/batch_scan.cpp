#include <algorithm>

#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

constexpr std::int64_t most_tokens = 1'000'000'000'000;

constexpr std::string_view blanks = " \t\r";

bool is_blank(std::string_view text) { return text.find_first_not_of(blanks) == text.npos; }

}  // namespace

void BatchScan::feed(std::string_view piece) {
  while (!piece.empty()) {
    const auto end = std::min(piece.find('\n'), piece.size());
    const std::string_view part = piece.substr(0, end);
    const bool begins = is_blank_ && !is_blank(part);
    // Other files are uploaded too: what begins otherwise is none, and no batch is made of it.
    if (begins && part[part.find_first_not_of(blanks)] != '{') is_unreadable_ = true;
    if (is_unreadable_) return;
    is_blank_ = is_blank_ && !begins;
    if (!is_blank_) {
      if (!line_) line_.emplace(facts_, true);
      line_->feed(part);
    }
    if (end == piece.size()) return;
    end_line();
    piece.remove_prefix(end + 1);
  }
}

void BatchScan::end_line() {
  if (line_) {
    const bool is_first = batch_.model.empty();
    if (is_first) batch_.model = facts_.model;
    if (!facts_.is_object || !line_->has_line_body() || facts_.model.empty() || facts_.model != batch_.model) is_unreadable_ = true;
    batch_.text_bytes += facts_.text_bytes;
    const std::int64_t output = facts_.max_tokens.value_or(usual_output) * std::max(facts_.n, facts_.best_of) * facts_.prompts;
    batch_.output = std::min(batch_.output + std::max<std::int64_t>(output, 1), most_tokens);
    batch_.has_more_objects = batch_.has_more_objects || facts_.has_more_objects;
    for (ObjectName& each : facts_.objects) {
      if (batch_.objects.size() == max_objects) batch_.has_more_objects = true;
      else batch_.objects.push_back(std::move(each));
    }
  }
  line_.reset();
  facts_ = RequestFacts();
  is_blank_ = true;
}

void BatchScan::finish() {
  end_line();
  batch_.is_readable = !is_unreadable_ && !batch_.model.empty();
}

}  // namespace proxyxai
