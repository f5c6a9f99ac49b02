#include "proxyxai/base/origin_address.hpp"

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
         c == ':';
}

/// No empty segment and none of dots alone, which servers resolve each in their own way.
bool is_plain_path(std::string_view path) {
  while (!path.empty()) {
    const auto end = path.find('/', 1);
    const auto segment = path.substr(1, end == path.npos ? end : end - 1);
    if (segment.empty() || segment == "." || segment == "..") return false;
    path = end == path.npos ? std::string_view() : path.substr(end);
  }
  return true;
}

}  // namespace

std::optional<OriginAddress> parse_origin(std::string_view url) {
  OriginAddress address;
  if (const auto scheme = url.find("://"); scheme != url.npos) {
    const auto name = url.substr(0, scheme);
    if (!equals_lower(name, "https") && !equals_lower(name, "http")) return std::nullopt;
    address.tls = name.size() == 5;
    url.remove_prefix(scheme + 3);
  }
  if (url.find_first_of("?#@\\%") != url.npos) return std::nullopt;
  // The path goes into the line of every request.
  for (const char c : url) {
    if (c <= ' ' || c >= 0x7f) return std::nullopt;
  }
  const auto slash = url.find('/');
  auto authority = url.substr(0, slash);
  std::string_view prefix = slash == url.npos ? std::string_view() : url.substr(slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  // SDKs are given base URLs that end in /v1, and operators paste them here.
  if (prefix == "/v1") prefix = {};
  if (prefix.ends_with("/v1")) prefix.remove_suffix(3);
  if (!is_plain_path(prefix)) return std::nullopt;
  address.prefix = prefix;

  std::string_view host = authority;
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == authority.npos) return std::nullopt;
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
    if (!port.empty()) port.remove_prefix(1);
  } else if (const auto colon = authority.find(':'); colon != authority.npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    if (port.empty()) return std::nullopt;
  }
  if (host.empty() || host.size() > 253) return std::nullopt;
  for (const char c : host) {
    if (!is_host_character(c)) return std::nullopt;
  }
  unsigned number = 0;
  for (const char c : port) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
    if (number > 65535) return std::nullopt;
  }
  if (!port.empty() && number == 0) return std::nullopt;
  const std::string standard = address.tls ? "443" : "80";
  for (const char c : host) address.host.push_back(to_lower(c));
  address.port = port.empty() ? standard : std::to_string(number);
  address.authority = host.find(':') == host.npos ? address.host : "[" + address.host + "]";
  if (address.port != standard) address.authority += ":" + address.port;
  return address;
}

std::string to_url(const OriginAddress& address) {
  return (address.tls ? "https://" : "http://") + address.authority + address.prefix;
}

}  // namespace proxyxai
