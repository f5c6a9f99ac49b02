#include "proxyxai/http/gate.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "proxyxai/http/parser.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t max_target = 8 << 10;

/// One bit a character class, so that a line is checked in one pass over a table.
enum : std::uint8_t { kToken = 1, kTarget = 2, kValue = 4, kHost = 8 };

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> made{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const auto among = [c](std::string_view set) { return c < 128 && set.find(static_cast<char>(c)) != set.npos; };
    if (alnum || (c != 0 && among("!#$%&'*+-.^_`|~"))) made[c] |= kToken;      // RFC 9110 5.6.2
    if (c > 0x20 && c < 0x7f && !among("#\"<>\\^`{|}")) made[c] |= kTarget;    // RFC 3986, strict
    if (c == '\t' || (c >= 0x20 && c != 0x7f)) made[c] |= kValue;              // RFC 9110 5.5 with obs-text
    if (alnum || (c != 0 && among("-._~%!$&'()*+,;=:[]"))) made[c] |= kHost;   // RFC 3986 3.2.2, with port
  }
  return made;
}
constexpr auto classes = make_classes();

bool all_of(std::string_view text, std::uint8_t wanted) {
  for (const char c : text) {
    if ((classes[static_cast<unsigned char>(c)] & wanted) == 0) return false;
  }
  return true;
}

bool all_digits(std::string_view text) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  return !text.empty();
}

/// uri-host [ ":" port ], RFC 9110 7.2; an empty host is valid only for targets without authority, which API calls are not.
bool is_valid_host(std::string_view host) {
  if (host.empty() || host.size() > 255 || !all_of(host, kHost)) return false;
  if (host.front() == '[') {
    const auto close = host.find(']');
    if (close == host.npos || close < 3) return false;
    for (const char c : host.substr(1, close - 1)) {
      const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
      if (!hex && c != ':' && c != '.') return false;
    }
    const auto rest = host.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && rest.size() <= 6 && all_digits(rest.substr(1)));
  }
  if (host.find_first_of("[],;%") != host.npos) return false;
  const auto colon = host.find(':');
  if (colon == 0) return false;
  return colon == host.npos || (host.size() - colon <= 6 && all_digits(host.substr(colon + 1)));
}

std::optional<GateRefusal> check_request_line(std::string_view line, bool& http_1_0) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == line.npos || first == last) {
    return GateRefusal{400, "bad_request_line", "The request line is not `METHOD target HTTP/1.1`."};
  }
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (method.empty() || method.size() > 32 || !all_of(method, kToken)) {
    return GateRefusal{400, "bad_method", "The request method is not a token."};
  }
  // Methods differ by case (RFC 9110 9.1), but there are servers to which `post` is POST, and here it would not cost what a POST does.
  if (std::any_of(method.begin(), method.end(), [](char c) { return c >= 'a' && c <= 'z'; })) {
    return GateRefusal{501, "bad_method", "Request methods are written in capital letters."};
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    const bool other_http = version.starts_with("HTTP/") && version.size() == 8 && version[6] == '.' &&
                            all_digits(version.substr(5, 1)) && all_digits(version.substr(7, 1));
    if (other_http) return GateRefusal{505, "bad_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
    return GateRefusal{400, "bad_version", "The request line does not end in an HTTP version."};
  }
  http_1_0 = version.back() == '0';
  if (method == "CONNECT" || method == "TRACE") {
    return GateRefusal{501, "method_refused", "CONNECT and TRACE are not offered here."};
  }
  if (target.size() > max_target) return GateRefusal{414, "target_too_long", "The request target is over 8 KiB."};
  if (target == "*" && method == "OPTIONS") return std::nullopt;
  if (target.empty() || target.front() != '/' || !all_of(target, kTarget)) {
    return GateRefusal{400, "bad_target", "The request target must be a path such as /v1/models."};
  }
  return std::nullopt;
}

/// The fields that decide how a message is framed and where it goes, as they were met.
struct Framing {
  unsigned hosts = 0, lengths = 0, codings = 0;
};

std::optional<GateRefusal> check_field(std::string_view line, bool http_1_0, Framing& framing) {
  if (line.front() == ' ' || line.front() == '\t') {
    return GateRefusal{400, "folded_header", "A header line starts with white space (obsolete folding)."};
  }
  const auto colon = line.find(':');
  if (colon == line.npos || colon == 0 || !all_of(line.substr(0, colon), kToken)) {
    return GateRefusal{400, "bad_header_name", "A header line has no valid name before its colon."};
  }
  const auto name = line.substr(0, colon);
  if (!all_of(line.substr(colon + 1), kValue)) {
    return GateRefusal{400, "bad_header_value", "A header value has a control character in it."};
  }
  const auto value = trim(line.substr(colon + 1));
  switch (name.size()) {
    case 4:
      if (!equals_lower(name, "host")) break;
      if (++framing.hosts > 1 || !is_valid_host(value)) {
        return GateRefusal{400, "bad_host", "A request needs exactly one valid Host header."};
      }
      break;
    case 6:
      if (equals_lower(name, "expect") && !equals_lower(value, "100-continue")) {
        return GateRefusal{417, "bad_expect", "The only expectation met here is 100-continue."};
      }
      break;
    case 10:
      // Each name it lists is looked for among all fields; real ones list two or three.
      if (equals_lower(name, "connection") && value.size() > 256) {
        return GateRefusal{400, "bad_connection", "The Connection header lists too much."};
      }
      break;
    case 14:
      if (!equals_lower(name, "content-length")) break;
      // 18 digits are below 2^63, so that no later sum overflows.
      if (++framing.lengths > 1 || value.size() > 18 || !all_digits(value)) {
        return GateRefusal{400, "bad_content_length", "Content-Length must be one number, given once."};
      }
      break;
    case 17:
      if (!equals_lower(name, "transfer-encoding")) break;
      if (http_1_0) return GateRefusal{400, "bad_transfer_encoding", "HTTP/1.0 has no Transfer-Encoding."};
      if (++framing.codings > 1 || !equals_lower(value, "chunked")) {
        return GateRefusal{501, "bad_transfer_encoding", "The only Transfer-Encoding taken is `chunked`, once."};
      }
      break;
    default: break;
  }
  return std::nullopt;
}

}  // namespace

std::optional<GateRefusal> check_request_head(std::string_view head, const GateLimits& limits) {
  if (head.size() > limits.header_bytes) {
    return GateRefusal{431, "header_too_large", "The header section is larger than this server takes."};
  }
  bool http_1_0 = false;
  Framing framing;
  std::size_t lines = 0;
  while (!head.empty()) {
    const auto end = head.find('\n');
    if (end == head.npos || end == 0 || head[end - 1] != '\r') {
      return GateRefusal{400, "bare_line_feed", "A header line does not end in CR LF."};
    }
    const auto line = head.substr(0, end - 1);
    head.remove_prefix(end + 1);
    if (line.empty()) break;
    const auto refusal = lines == 0 ? check_request_line(line, http_1_0) : check_field(line, http_1_0, framing);
    if (refusal) return refusal;
    if (++lines > limits.fields + 1) {
      return GateRefusal{431, "too_many_headers", "The request has more header lines than this server takes."};
    }
  }
  if (framing.hosts != 1) return GateRefusal{400, "bad_host", "A request needs exactly one valid Host header."};
  if (framing.codings > 0 && framing.lengths > 0) {
    return GateRefusal{400, "conflicting_framing", "Content-Length beside Transfer-Encoding is ambiguous."};
  }
  return std::nullopt;
}

std::optional<GateRefusal> check_partial_head(std::string_view bytes, const GateLimits& limits) {
  if (bytes.size() > limits.header_bytes) {
    return GateRefusal{431, "header_too_large", "The header section is larger than this server takes."};
  }
  // A client that ends its lines with a bare LF would otherwise be left waiting for the deadline.
  for (std::size_t at = bytes.find('\n'); at != bytes.npos; at = bytes.find('\n', at + 1)) {
    if (at == 0 || bytes[at - 1] != '\r') {
      return GateRefusal{400, "bare_line_feed", "A header line does not end in CR LF."};
    }
  }
  if (bytes.find('\0') != bytes.npos) {
    return GateRefusal{400, "bad_header_value", "A header value has a control character in it."};
  }
  return std::nullopt;
}

bool has_one_spelling(std::string_view path) {
  if (path.empty() || path.front() != '/') return false;
  const auto hex = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = static_cast<char>(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  std::size_t segment = 1;
  for (std::size_t i = 1; i <= path.size(); ++i) {
    if (i == path.size() || path[i] == '/') {
      const auto text = path.substr(segment, i - segment);
      const bool last = i == path.size();
      if (text == "." || text == ".." || (text.empty() && !last)) return false;
      segment = i + 1;
      continue;
    }
    if (path[i] == '\\') return false;
    if (path[i] != '%') continue;
    if (i + 2 >= path.size()) return false;
    const int high = hex(path[i + 1]);
    const int low = hex(path[i + 2]);
    if (high < 0 || low < 0) return false;
    const int byte = high * 16 + low;
    if (byte == '/' || byte == '\\' || byte == '.' || byte < 0x20 || byte == 0x7f) return false;
  }
  return true;
}

}  // namespace proxyxai
