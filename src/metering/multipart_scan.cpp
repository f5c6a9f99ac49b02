#include <algorithm>
#include <cstring>
#include <utility>

#include "json_number.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t max_part_head = 8 << 10;
constexpr std::size_t max_boundary = 70;  // RFC 2046 5.1.1
constexpr std::size_t max_word = 32;         // size, quality, response_format
constexpr std::int64_t max_choices = 1000;

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
    case State::part: return seek_delimiter(bytes);
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
  const void* const found = ::memmem(bytes.data(), bytes.size(), delimiter_.data(), delimiter_.size());
  std::size_t content = 0;
  // Without a delimiter all is content but a tail that may be the start of one.
  if (found != nullptr) content = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
  else if (bytes.size() >= delimiter_.size()) content = bytes.size() - delimiter_.size() + 1;
  if (state_ == State::part) on_content(bytes.substr(0, content));
  if (found == nullptr) return content;
  if (state_ == State::part) end_part();
  state_ = State::head;
  return content + delimiter_.size();
}

void MultipartScan::on_content(std::string_view content) {
  const std::size_t before = std::min(line_end_, content.size());
  line_end_ -= before;
  content.remove_prefix(before);
  if (part_ == Part::file) {
    facts_.file_bytes += static_cast<std::int64_t>(content.size());
    if (files_ == 1) wav_.feed(content);
  } else if (part_ == Part::other) {
    facts_.text_bytes += static_cast<std::int64_t>(content.size());
  } else if (value_.size() < max_model) {
    value_.append(content.substr(0, max_model - value_.size()));
  }
}

void MultipartScan::end_part() {
  switch (part_) {
    case Part::other: break;
    case Part::file:
      if (files_ == 1) facts_.audio_ms = wav_.milliseconds();
      break;
    case Part::model: facts_.model = value_; break;
    case Part::stream: facts_.stream = value_ == "true" || value_ == "True" || value_ == "1"; break;
    case Part::n: {
      const std::int64_t n = read_count(value_, max_choices + 1).value_or(1);
      facts_.n = n >= 1 && n <= max_choices ? n : 1;
      break;
    }
    case Part::size: facts_.size = value_.substr(0, max_word); break;
    case Part::quality: facts_.quality = value_.substr(0, max_word); break;
    case Part::response_format: facts_.response_format = value_.substr(0, max_word); break;
  }
  value_.clear();
}

MultipartScan::Part MultipartScan::part_of(std::string_view name) {
  if (name == "model") return Part::model;
  if (name == "stream") return Part::stream;
  if (name == "n") return Part::n;
  if (name == "size") return Part::size;
  if (name == "quality") return Part::quality;
  if (name == "response_format") return Part::response_format;
  // Some clients leave the file name out.
  if (name == "file" || name == "image" || name == "image[]" || name == "mask") return Part::file;
  return Part::other;
}

void MultipartScan::read_head(std::string_view head) {
  state_ = State::part;
  part_ = Part::other;
  // What comes next is the line end that closed the head.
  line_end_ = 2;
  static constexpr std::string_view disposition = "content-disposition:";
  for (std::size_t at = 0; at < head.size();) {
    const auto end = std::min(head.find("\r\n", at), head.size());
    const auto line = head.substr(at, end - at);
    at = end + 2;
    if (!starts_with_lower(line, disposition)) continue;
    const bool is_file = !parameter(line, "filename").empty() || !parameter(line, "filename*").empty();
    part_ = is_file ? Part::file : part_of(parameter(line, "name"));
  }
  if (part_ == Part::file) ++files_;
}

}  // namespace proxyxai
