#include <algorithm>
#include <utility>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t max_part_head = 8 << 10;
constexpr std::size_t max_boundary = 70;  // RFC 2046 5.1.1
constexpr std::size_t max_value = max_model + 2;

/// The value of `name=` or `name="…"` in a header value; empty when it is not there.
std::string_view parameter(std::string_view header, std::string_view name) {
  for (std::size_t at = header.find(';'); at != header.npos; at = header.find(';', at)) {
    ++at;
    while (at < header.size() && (header[at] == ' ' || header[at] == '\t')) ++at;
    const auto rest = header.substr(at);
    if (rest.size() <= name.size() || rest[name.size()] != '=' || !starts_with_lower(rest, name)) continue;
    auto value = rest.substr(name.size() + 1);
    if (!value.starts_with('"')) return value.substr(0, value.find_first_of("; \t\r\n"));
    value.remove_prefix(1);
    return value.substr(0, value.find('"'));
  }
  return {};
}

}  // namespace

MultipartScan::MultipartScan(RequestFacts& facts, std::string_view content_type) : facts_(facts) {
  const auto boundary = parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > max_boundary) return;
  delimiter_.append("\r\n--").append(boundary);
  // The first delimiter stands at the very start, without the line end before it.
  held_ = "\r\n";
  state_ = State::preamble;
}

void MultipartScan::feed(std::string_view piece) {
  while (state_ != State::done && !piece.empty()) {
    if (held_.empty()) {
      const std::size_t used = step(piece);
      if (used == 0) {
        held_ = piece;
        return;
      }
      piece.remove_prefix(used);
      continue;
    }
    // Join the held tail with the next bytes, in steps that bound the copy.
    const std::size_t joined = std::min(piece.size(), max_part_head);
    held_.append(piece.substr(0, joined));
    piece.remove_prefix(joined);
    const std::string bytes = std::exchange(held_, {});
    std::string_view rest = bytes;
    for (std::size_t used = 1; used > 0 && state_ != State::done; rest.remove_prefix(used)) used = step(rest);
    held_ = rest;
  }
}

/// Uses up a start of `bytes` and returns how much; 0: more is needed to decide.
std::size_t MultipartScan::step(std::string_view bytes) {
  switch (state_) {
    case State::preamble:
    case State::skip:
    case State::value: return seek_delimiter(bytes);
    case State::head: {
      if (bytes.starts_with("--")) {
        state_ = State::done;
        return bytes.size();
      }
      const auto end = bytes.find("\r\n\r\n");
      if (end == bytes.npos) {
        if (bytes.size() > max_part_head) state_ = State::done;
        return 0;
      }
      read_head(bytes.substr(0, end + 2));
      // The line end before an immediately following delimiter stays: an empty value.
      return end + 2;
    }
    case State::done: break;
  }
  return bytes.size();
}

std::size_t MultipartScan::seek_delimiter(std::string_view bytes) {
  const auto found = bytes.find(delimiter_);
  std::size_t content = found;
  // Without a delimiter all is content but a tail that may be the start of one.
  if (found == bytes.npos) content = bytes.size() >= delimiter_.size() ? bytes.size() - delimiter_.size() + 1 : 0;
  if (state_ == State::value && value_.size() < max_value) value_.append(bytes.substr(0, std::min(content, max_value - value_.size())));
  if (found == bytes.npos) return content;
  if (state_ == State::value) keep_value();
  state_ = State::head;
  return found + delimiter_.size();
}

void MultipartScan::keep_value() {
  auto value = std::string_view(value_);
  // The value begins behind the line end that closed the part's head.
  if (value.starts_with("\r\n")) value.remove_prefix(2);
  if (wanted_ == Wanted::model) facts_.model = value;
  else facts_.stream = value == "true" || value == "True" || value == "1";
  value_.clear();
}

void MultipartScan::read_head(std::string_view head) {
  state_ = State::skip;
  static constexpr std::string_view disposition = "content-disposition:";
  for (std::size_t at = 0; at < head.size();) {
    const auto end = std::min(head.find("\r\n", at), head.size());
    const auto line = head.substr(at, end - at);
    at = end + 2;
    if (!starts_with_lower(line, disposition) || !parameter(line, "filename").empty()) continue;
    const auto name = parameter(line, "name");
    if (name == "model") wanted_ = Wanted::model;
    else if (name == "stream") wanted_ = Wanted::stream;
    else continue;
    state_ = State::value;
  }
}

}  // namespace proxyxai
