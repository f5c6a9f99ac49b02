#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// What makes text fit for a mail. Pure functions.
namespace proxyxai::encoding {

/// `text` as one line of valid UTF-8: control characters become spaces, bytes that are no UTF-8 become U+FFFD, and what is
/// over `longest` bytes is cut at a character.
std::string one_line(std::string_view text, std::size_t longest);

/// One line of UTF-8 as the value of an unstructured header: as it is, or as encoded words of RFC 2047.
std::string header_text(std::string_view line);

/// One line of UTF-8 as the name before an address: quoted, or as encoded words.
std::string header_phrase(std::string_view line);

/// A text whose lines end with `\n`, as quoted-printable with CRLF (RFC 2045 6.7). Every line ends, also the last.
std::string quoted_printable(std::string_view text);

}  // namespace proxyxai::encoding
