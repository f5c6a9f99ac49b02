// The gate in front of Beast's parser. What the gate lets through, Beast must understand exactly as a few lines that split it at
// CR LF, space and colon do: one Host, at most one header that frames the body, nothing that two parsers read differently.
#include <algorithm>
#include <charconv>

#include <boost/beast/http/error.hpp>

#include "check.hpp"
#include "proxyxai/http/gate.hpp"
#include "proxyxai/http/parser.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view take_header_line(std::string_view& head) {
  const auto end = head.find("\r\n");
  const auto line = head.substr(0, end);
  head.remove_prefix(end + 2);
  return line;
}

bool has_connection(std::string_view head) {
  for (take_header_line(head); !head.starts_with("\r\n");) {
    const std::string_view line = take_header_line(head);
    if (starts_with_lower(line, "connection:") || starts_with_lower(line, "proxy-connection:")) return true;
  }
  return false;
}

void check_passed(std::string_view head) {
  const std::vector<char> copy(head.begin(), head.end());
  Fields fields;
  RequestParser parser(fields);
  boost::system::error_code error;
  const std::size_t used = parser.put(boost::asio::const_buffer(copy.data(), copy.size()), error);
  // A Connection header that is no list of tokens is Beast's to refuse.
  if (error == beast_http::error::bad_value && has_connection(head)) return;
  if (error) fail("Beast takes what the gate let through: " + error.message());
  require(parser.is_header_done(), "the head is complete for Beast too");
  same(used, head.size(), "bytes of the head");

  const std::string_view start = take_header_line(head);
  const auto first = start.find(' '), last = start.rfind(' ');
  same(parser.method(), start.substr(0, first), "method");
  same(parser.target(), start.substr(first + 1, last - first - 1), "target");
  same(parser.version(), start.ends_with("1.1") ? 11 : 10, "version");
  require(parser.target().starts_with('/') || parser.target() == "*", "the target is a path or *");

  std::size_t count = 0, hosts = 0, lengths = 0, codings = 0;
  while (!head.starts_with("\r\n")) {
    const std::string_view line = take_header_line(head);
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
    require(count < fields.size(), "Beast finds as many fields");
    same(fields[count].name, name, "name");
    same(fields[count].value, value, "value");
    ++count;
    for (const char c : value) require(c == '\t' || static_cast<unsigned char>(c) >= 0x20, "a value has no control character");
    if (equals_lower(name, "host")) ++hosts;
    if (equals_lower(name, "content-length")) {
      ++lengths;
      std::uint64_t number = 0;
      std::from_chars(value.data(), value.data() + value.size(), number);
      require(parser.content_length().has_value(), "Beast has the length");
      same(*parser.content_length(), number, "length");
    }
    if (equals_lower(name, "transfer-encoding")) {
      ++codings;
      require(equals_lower(value, "chunked") && parser.version() == 11, "the one coding is chunked, on HTTP/1.1");
    }
  }
  same(fields.size(), count, "number of fields");
  same(hosts, 1u, "number of Host headers");
  require(lengths + codings <= 1, "one header frames the body");
  same(parser.chunked(), codings == 1, "chunked");
  same(parser.content_length().has_value(), lengths == 1, "has a length");
  // Without either a request has no body, whatever it says else.
  if (lengths + codings == 0) require(parser.is_done(), "a request without a frame is over");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const GateLimits limits{2'048, 30};
  const std::string_view bytes = text_of(data, size);
  const auto end = bytes.find("\r\n\r\n");
  const std::string_view head = bytes.substr(0, end == bytes.npos ? end : end + 4);
  const bool is_refused = end == bytes.npos || check_request_head(head, limits).has_value();
  if (!is_refused) check_passed(head);
  // However it is cut: what is refused before it is complete would have been refused when it is.
  // Beyond the limit all are.
  for (std::size_t part = 0; part < std::min<std::size_t>(head.size(), limits.header_bytes + 2); ++part) {
    const std::vector<char> copy(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(part));
    if (check_partial_head({copy.data(), copy.size()}, limits)) require(is_refused, "a head whose beginning is refused is refused");
  }
  const std::string_view path = bytes.substr(0, bytes.find('\n'));
  if (has_one_spelling(path)) {
    require(path.starts_with('/') && path.find("//") == path.npos && path.find("/../") == path.npos && path.find("/./") == path.npos,
            "a path of one spelling has no empty or dotted segment");
  }
  return 0;
}
