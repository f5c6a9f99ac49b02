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
constexpr std::size_t max_blanks = 64;       // behind a boundary
/// The first delimiter stands at the very start, without the line end before it: that is thought before the body.
constexpr std::string_view first_line_end = "\r\n";

/// Tells each parameter of a header value, `name=value` or `name="value"`; what looks like one inside quotes is none. False: others may
/// find other parameters. A quote in it has no end, and they read on in the next line; one is escaped, which they take for the end; or
/// something stands between a value and its `=` or `;`.
template <class Tell>
bool each_parameter(std::string_view header, Tell&& tell) {
  for (std::size_t at = header.find(';'); at < header.size();) {
    at = header.find_first_not_of(" \t", at + 1);
    const auto name_end = header.find_first_of("=;", at);
    if (name_end == header.npos) return true;
    const auto name = header.substr(at, name_end - at);
    at = name_end;
    if (header[at] == ';') continue;
    const auto begin = ++at;
    if (!header.substr(begin).starts_with('"')) {
      at = std::min(header.find(';', begin), header.size());
      const auto value = header.substr(begin, at - begin);
      const auto word = value.substr(0, value.find_first_of(" \t\r\n"));
      tell(name, word);
      // Blanks behind `=` are passed over by some, and then quotes are quotes.
      if (word.empty() || value.find('"') != value.npos) return false;
      continue;
    }
    bool is_clear = true;
    for (++at; at < header.size() && header[at] != '"'; ++at) {
      if (header[at] != '\\') continue;
      ++at;
      is_clear = is_clear && !header.substr(std::min(at, header.size())).starts_with('"');
    }
    is_clear = is_clear && at < header.size();
    at = std::min(at, header.size());
    tell(name, header.substr(begin + 1, at - begin - 1));
    if (!is_clear) return false;
    const auto next = header.find_first_not_of(" \t\r\n", at + 1);
    if (next != header.npos && header[next] != ';') return false;
    at = next;
  }
  return true;
}

/// Whether a line of a part's head says that the content is encoded (RFC 2045 6.1).
bool is_encoded(std::string_view line) {
  static constexpr std::string_view field = "content-transfer-encoding:";
  if (!starts_with_lower(line, field)) return false;
  const auto coding = trim(line.substr(field.size()));
  return !equals_lower(coding, "binary") && !equals_lower(coding, "8bit") && !equals_lower(coding, "7bit");
}

}  // namespace

MultipartScan::MultipartScan(RequestFacts& facts, std::string_view content_type) : facts_(facts) {
  std::string_view boundary;
  unsigned boundaries = 0;
  bool is_utf8 = true;
  const bool is_clear = each_parameter(content_type, [&](std::string_view name, std::string_view value) {
    // In another charset plain letters may be other letters.
    if (equals_lower(name, "charset")) is_utf8 = is_utf8 && equals_lower(value, "utf-8");
    if (!starts_with_lower(name, "boundary")) return;
    ++boundaries;
    if (equals_lower(name, "boundary")) boundary = value;
  });
  // Of two, of one in the notation of RFC 2231 (`boundary*=`) and of escapes parsers make different things.
  if (!is_clear || !is_utf8 || boundaries != 1 || boundary.find('\\') != boundary.npos) return;
  if (boundary.empty() || boundary.size() > max_boundary) return;
  delimiter_.append("\r\n--").append(boundary);
  held_ = first_line_end;
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
      offset_ += used;
      piece.remove_prefix(used);
      continue;
    }
    // Join the held tail with the next bytes, in steps that bound the copy.
    const std::size_t joined = std::min(piece.size(), max_part_head);
    held_.append(piece.substr(0, joined));
    piece.remove_prefix(joined);
    const std::string bytes = std::exchange(held_, {});
    std::string_view rest = bytes;
    for (std::size_t used = 1; used > 0 && state_ != State::done; rest.remove_prefix(used)) {
      used = step(rest);
      offset_ += used;
    }
    held_ = rest;
  }
}

/// Uses up a start of `bytes` and returns how much; 0: more is needed to decide.
std::size_t MultipartScan::step(std::string_view bytes) {
  switch (state_) {
    case State::preamble:
    case State::part: return seek_delimiter(bytes);
    case State::delimiter: return end_delimiter(bytes);
    case State::closing: return end_closing(bytes);
    case State::head: return take_head(bytes);
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
  content_end_ = offset_ + content;
  // A part without even an empty line of content: some take the delimiter for its content.
  if (state_ == State::part && line_end_ > 0) {
    is_clear_ = false;
    content_end_ = content_begin_;
  }
  state_ = State::delimiter;
  return content + delimiter_.size();
}

/// What follows `--boundary` decides whether it is a delimiter. RFC 2046 5.1.1 allows no content with such a line, and lets
/// nobody write blanks behind it; parsers differ in what they make of both, so that a form with either is not clear.
std::size_t MultipartScan::end_delimiter(std::string_view bytes) {
  static constexpr std::string_view next = "\r\n", closing = "--";
  if (bytes.size() < next.size() && (next.starts_with(bytes) || closing.starts_with(bytes))) return 0;
  if (bytes.starts_with(closing)) {
    // Complete if nothing more comes.
    end_part();
    facts_.form_is_whole = has_parts_ && is_clear_;
    state_ = State::closing;
    return closing.size();
  }
  if (!bytes.starts_with(next)) {
    const auto blanks = std::min(bytes.find_first_not_of(" \t"), bytes.size());
    const auto rest = bytes.substr(blanks);
    is_clear_ = false;
    if (blanks == 0 || blanks > max_blanks) return no_delimiter(bytes, {});
    if (rest.size() < next.size() && next.starts_with(rest)) return 0;
    if (!rest.starts_with(next)) return no_delimiter(bytes, {});
    end_part();
    state_ = State::head;
    return blanks;
  }
  end_part();
  state_ = State::head;
  return take_head(bytes);
}

/// What follows `--boundary--`: a line end, or nothing.
std::size_t MultipartScan::end_closing(std::string_view bytes) {
  static constexpr std::string_view line_end = "\r\n";
  if (bytes.size() < line_end.size() && line_end.starts_with(bytes)) return 0;
  if (!bytes.starts_with(line_end)) {
    facts_.form_is_whole = is_clear_ = false;
    return no_delimiter(bytes, "--");
  }
  state_ = State::done;
  return bytes.size();
}

/// The delimiter, with what has `passed` of its line, was none.
std::size_t MultipartScan::no_delimiter(std::string_view bytes, std::string_view passed) {
  state_ = has_parts_ ? State::part : State::preamble;
  if (has_parts_) {
    on_content(delimiter_);
    on_content(passed);
  }
  return seek_delimiter(bytes);
}

std::size_t MultipartScan::take_head(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == bytes.npos) {
    if (bytes.size() > max_part_head) state_ = State::done;
    return 0;
  }
  read_head(bytes.substr(0, end + 2));
  content_begin_ = offset_ + end + 4;
  // The line end before an immediately following delimiter stays: an empty value.
  return end + 2;
}

void MultipartScan::on_content(std::string_view content) {
  const std::size_t before = std::min(line_end_, content.size());
  line_end_ -= before;
  content.remove_prefix(before);
  if (part_ == Part::file) {
    facts_.file_bytes += static_cast<std::int64_t>(content.size());
    if (facts_.files == 1) wav_.feed(content);
    if (facts_.files == 1 && batch_) batch_->feed(content);
    return;
  }
  if (part_ == Part::other || part_ == Part::object) facts_.text_bytes += static_cast<std::int64_t>(content.size());
  if (part_ == Part::other) return;
  if (value_.size() < max_model) {
    value_.append(content.substr(0, max_model - value_.size()));
  }
}

void MultipartScan::end_part() {
  switch (part_) {
    case Part::other: break;
    case Part::object: name_object(); break;
    case Part::file:
      if (facts_.files == 1) facts_.audio_ms = wav_.milliseconds();
      if (facts_.files == 1 && batch_) batch_->finish();
      break;
    case Part::model:
      facts_.model = value_;
      facts_.model_begin = content_begin_ - first_line_end.size();
      facts_.model_end = content_end_ - first_line_end.size();
      break;
    case Part::stream: facts_.stream = value_ == "true" || value_ == "True" || value_ == "1"; break;
    case Part::n: {
      const std::int64_t n = read_count(value_, max_choices + 1).value_or(1);
      facts_.n = n >= 1 && n <= max_choices ? n : 1;
      break;
    }
    case Part::size: facts_.size = value_.substr(0, max_word); break;
    case Part::quality: facts_.quality = value_.substr(0, max_word); break;
    case Part::response_format: facts_.response_format = value_.substr(0, max_word); break;
    case Part::purpose: facts_.purpose = value_.substr(0, max_word); break;
  }
}

void MultipartScan::read_batch() {
  facts_.batch = std::make_unique<BatchFacts>();
  batch_.emplace(*facts_.batch);
}

void MultipartScan::name_object() {
  const std::string_view value = std::string_view(value_).substr(0, max_object_id);
  if (value.empty() || (naming_.kind != Naming::Kind::object && shape_of(value_) != IdShape::object)) return;
  if (facts_.objects.size() == max_objects) facts_.has_more_objects = true;
  else facts_.objects.push_back({std::string(value), naming_.member, false});
}

MultipartScan::Part MultipartScan::part_of(std::string_view name) {
  if (name == "model") return Part::model;
  if (name == "stream") return Part::stream;
  if (name == "n") return Part::n;
  if (name == "size") return Part::size;
  if (name == "quality") return Part::quality;
  if (name == "response_format") return Part::response_format;
  if (name == "purpose") return Part::purpose;
  // Some clients leave the file name out.
  if (name == "file" || name == "image" || name == "image[]" || name == "mask") return Part::file;
  return Part::other;
}

void MultipartScan::read_head(std::string_view head) {
  state_ = State::part;
  part_ = Part::other;
  has_parts_ = true;
  value_.clear();
  // What comes next is the line end that closed the head.
  line_end_ = 2;
  static constexpr std::string_view disposition = "content-disposition:";
  unsigned dispositions = 0;
  for (std::size_t at = 0; at < head.size();) {
    const auto end = std::min(head.find("\r\n", at), head.size());
    const auto line = head.substr(at, end - at);
    at = end + 2;
    // Parts of a line are put together by some, and read as lines by others; and some decode what they are told is encoded.
    if (line.starts_with(' ') || line.starts_with('\t') || is_encoded(line)) is_clear_ = false;
    if (!starts_with_lower(line, disposition)) continue;
    ++dispositions;
    read_disposition(line.substr(disposition.size()));
  }
  // Who splits at delimiters first finds other parts than who reads heads to their empty line.
  const bool has_delimiter = head.find(delimiter_) != head.npos;
  if (dispositions != 1 || has_delimiter) is_clear_ = false;
  if (part_ == Part::file) ++facts_.files;
  // Of two, some take the first and some the last.
  if (part_ == Part::file || part_ == Part::object || part_ == Part::other) return;
  const unsigned bit = 1U << static_cast<unsigned>(part_);
  if ((seen_ & bit) != 0) is_clear_ = false;
  seen_ |= bit;
}

void MultipartScan::read_disposition(std::string_view value) {
  unsigned names = 0;
  bool is_file = false;
  const bool is_clear = each_parameter(value, [&](std::string_view name, std::string_view told) {
    if (starts_with_lower(name, "filename")) {
      is_file = true;
    } else if (starts_with_lower(name, "name")) {
      ++names;
      part_ = part_of(told);
      naming_ = naming_of(told.substr(0, told.find('[')));
      if (part_ == Part::other && naming_.kind != Naming::Kind::none) part_ = Part::object;
      if (name.size() != 4 || told.find('\\') != told.npos) is_clear_ = false;
    }
  });
  if (names != 1 || !is_clear) is_clear_ = false;
  if (is_file) part_ = Part::file;
}

}  // namespace proxyxai
