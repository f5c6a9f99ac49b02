#include "proxyxai/base/ascii.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

char unescaped(char c) {
  switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c;
  }
}

}  // namespace

void JsonScan::append(char c) {
  if (kept_ && text_size_ < text_.size()) text_[text_size_++] = c;
}

void JsonScan::on_text(std::string_view piece, std::size_t& at) {
  while (at < piece.size()) {
    const char c = piece[at++];
    if (unicode_ > 0) {
      const int digit = hex_digit(c);
      code_ = static_cast<std::uint16_t>(code_ << 4 | (digit < 0 ? 0 : digit));
      // Model names are ASCII; what is not shows as '?' and matches no model.
      if (--unicode_ == 0) append(code_ < 0x80 ? static_cast<char>(code_) : '?');
      continue;
    }
    if (escaped_) {
      escaped_ = false;
      if (c == 'u') {
        unicode_ = 4;
        code_ = 0;
      } else {
        append(unescaped(c));
      }
      continue;
    }
    if (c == '\\') {
      escaped_ = true;
      continue;
    }
    if (c == '"') {
      end_text();
      return;
    }
    append(c);
    // Most of a body is text nobody asks for: run through it.
    if (!kept_) {
      while (at < piece.size() && piece[at] != '"' && piece[at] != '\\') ++at;
    }
  }
}

void JsonScan::end_text() {
  in_text_ = false;
  if (depth_ != 1) return;
  const std::string_view text(text_.data(), text_size_);
  if (is_name_) {
    name_ = text == "model" ? Name::model : text == "stream" ? Name::stream : Name::other;
  } else if (name_ == Name::model) {
    facts_.model = text;
  }
}

void JsonScan::on_structure(char c) {
  switch (c) {
    case '{':
    case '[':
      // A model that is no string is none.
      if (depth_ == 1 && name_ == Name::model) facts_.model.clear();
      ++depth_;
      is_name_ = depth_ == 1 && c == '{';
      return;
    case '}':
    case ']':
      if (depth_ > 0) --depth_;
      return;
    case ',':
      if (depth_ == 1) {
        is_name_ = true;
        name_ = Name::other;
      }
      return;
    case ':':
      if (depth_ == 1) is_name_ = false;
      return;
    case 't':
      if (depth_ == 1 && name_ == Name::stream && !is_name_) facts_.stream = true;
      return;
    case 'f':
    case 'n':
      if (depth_ == 1 && name_ == Name::stream && !is_name_) facts_.stream = false;
      return;
    default: return;
  }
}

void JsonScan::feed(std::string_view piece) {
  std::size_t at = 0;
  while (at < piece.size()) {
    if (in_text_) {
      on_text(piece, at);
      continue;
    }
    const char c = piece[at++];
    if (c == '"') {
      in_text_ = true;
      kept_ = depth_ == 1 && (is_name_ || name_ == Name::model);
      text_size_ = 0;
    } else {
      on_structure(c);
    }
  }
}

bool has_media_type(std::string_view content_type, std::string_view type) {
  if (!starts_with_lower(content_type, type)) return false;
  return content_type.size() == type.size() || content_type[type.size()] == ';' || content_type[type.size()] == ' ';
}

}  // namespace proxyxai
