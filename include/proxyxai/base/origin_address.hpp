#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace proxyxai {

/// Where an upstream is: the parts of `scheme://host[:port][/prefix]`.
struct OriginAddress {
  bool tls = true;
  std::string host;      ///< Name or address, without brackets.
  std::string port;
  std::string prefix;    ///< Empty, or a path that starts with `/` and does not end in one.
  std::string authority; ///< The Host header: brackets and a port that is not the scheme's default.
};

/// Takes `host`, `host:port` (https) or a URL; nullopt when it is no http(s) URL or has user info, query or fragment.
std::optional<OriginAddress> parse_origin(std::string_view url);

/// The address as one canonical URL: `scheme://host[:port][/prefix]`, without a default port.
std::string to_url(const OriginAddress& address);

}  // namespace proxyxai
