#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace proxyxai {

/// Why the gate refused a request: always an error of the client's, always followed by closing the connection.
struct GateRefusal {
  unsigned status;           ///< 400, 413, 414, 417, 431, 501 or 505.
  std::string_view reason;   ///< Stable token, e.g. `bad_host`; also the name of the counter.
  std::string_view message;  ///< For the client; static storage.
};

/// The limits the gate enforces.
struct GateLimits {
  std::size_t header_bytes = 64 << 10;  ///< The whole header section, request line included.
  std::size_t fields = 200;
};

/// Checks a complete request head, from the request line to the empty line that ends it, before any parser sees it.
///
/// The gate exists because one lenient parser in front of a strict one is how one request becomes two (RFC 9112
/// section 11.2), and Beast 1.81 is lenient: it frames by Content-Length beside `Transfer-Encoding: gzip`, takes
/// chunked on HTTP/1.0 and does not look at Host. What passes here means the same thing to every parser: one valid Host
/// (RFC 9112 3.2), at most one Content-Length of digits (RFC 9112 6.3), Transfer-Encoding only as the one token
/// `chunked` on HTTP/1.1 and never beside Content-Length (6.1), no bare LF, NUL, obs-fold or space before a colon (5.1,
/// 5.2), a target in origin form (3.2.1). Any thread; no allocation.
std::optional<GateRefusal> check_request_head(std::string_view head, const GateLimits& limits);

/// Checks what has arrived of a head that is not complete: too long already, or already certain to be refused.
std::optional<GateRefusal> check_partial_head(std::string_view bytes, const GateLimits& limits);

/// True when `path` has one spelling only: no empty, `.` or `..` segment, no backslash, no encoded slash, backslash, dot
/// or NUL, no malformed percent sequence. Routes are matched on such paths alone, so that no variant slips past a rule.
bool has_one_spelling(std::string_view path);

/// The largest chunk-size line with its extensions (RFC 9112 7.1.1) that is read before the request is refused.
inline constexpr std::size_t max_chunk_line = 8 << 10;

}  // namespace proxyxai
