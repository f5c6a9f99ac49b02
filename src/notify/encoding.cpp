#include "encoding.hpp"

#include <algorithm>

#include <openssl/evp.h>

namespace proxyxai::encoding {
namespace {

/// The length of the UTF-8 character that `text` begins with; 0 when there is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return 0;
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xc2 && first < 0xe0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Longer than needed, a surrogate half, or beyond U+10FFFF.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0) || (first == 0xf0 && byte(1) < 0x90) ||
      (first == 0xf4 && byte(1) >= 0x90)) {
    return 0;
  }
  return length;
}

/// C0 and C1 controls, and the line and paragraph separators, which some readers break lines at.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  return first < 0x20 || first == 0x7f || (first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0) ||
         character == "\xe2\x80\xa8" || character == "\xe2\x80\xa9";
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

std::string base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::string encoded_words(std::string_view line) {
  // Encoded words hold whole characters, and a line of them, `Subject: ` included, is at most 76 long (RFC 2047 2 and 5).
  constexpr std::size_t most_bytes = 39;
  std::string out, piece;
  const auto put_piece = [&] {
    if (!piece.empty()) out += (out.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + base64(piece) + "?=";
    piece.clear();
  };
  while (!line.empty()) {
    const std::size_t length = std::max<std::size_t>(character_length(line), 1);
    if (piece.size() + length > most_bytes) put_piece();
    piece += line.substr(0, length);
    line.remove_prefix(length);
  }
  put_piece();
  return out;
}

/// One line without its end; a space at the very end would be lost on the way.
void append_quoted_line(std::string& out, std::string_view line) {
  static constexpr char digits[] = "0123456789ABCDEF";
  constexpr std::size_t most_columns = 75;  // and the `=` of a soft line break
  std::size_t column = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    const bool is_plain = (byte > ' ' && byte < 0x7f && byte != '=') || (byte == ' ' && i + 1 < line.size());
    const std::size_t width = is_plain ? 1 : 3;
    if (column + width > most_columns) {
      out += "=\r\n";
      column = 0;
    }
    if (is_plain) out += line[i];
    else out.append({'=', digits[byte >> 4], digits[byte & 0xf]});
    column += width;
  }
}

}  // namespace

std::string one_line(std::string_view text, std::size_t longest) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    std::string_view character = length == 0 ? "\xef\xbf\xbd" : text.substr(0, length);
    if (is_control(character)) character = " ";
    if (out.size() + character.size() > longest) break;
    out += character;
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string header_text(std::string_view line) {
  // Beyond, the line would have to be folded, for which it needs spaces; `=?` would be taken for an encoded word.
  constexpr std::size_t longest_plain = 65;
  const bool is_plain = is_ascii(line) && line.size() <= longest_plain && line.find("=?") == line.npos;
  return is_plain ? std::string(line) : encoded_words(line);
}

std::string header_phrase(std::string_view line) {
  if (!is_ascii(line) || line.find("=?") != line.npos) return encoded_words(line);
  std::string out = "\"";
  for (const char c : line) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    append_quoted_line(out, text.substr(0, end));
    out += "\r\n";
    text = end == text.npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

}  // namespace proxyxai::encoding
