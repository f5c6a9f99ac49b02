#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/config/settings.hpp"

/// Readers of setting values. Each throws BadValue when the text is not what it reads.
namespace proxyxai::value {

/// `detail` says what is wrong beyond "not allowed"; it never quotes a secret.
struct BadValue {
  std::string detail;
};

/// Dollars, not negative.
Money money(const std::string& text);
std::uint64_t number(const std::string& text, std::uint64_t lowest, std::uint64_t highest);
/// `512MiB`, `64K`, or bytes.
std::uint64_t size(const std::string& text, std::uint64_t lowest);
/// As parse_duration, and more than nothing.
milliseconds duration(const std::string& text);
std::string one_of(const std::string& text, std::initializer_list<std::string_view> words);
/// Items between commas, without the spaces around them; empty ones are left out.
std::vector<std::string> list(const std::string& text);
std::string readable_file(const std::string& text);
std::vector<std::string> ip_addresses(const std::string& text);
std::vector<std::string> cidr_list(const std::string& text);
std::vector<std::string> origins(const std::string& text);
/// `host`, `host:port` or URL, as one canonical URL.
std::string origin_url(const std::string& text);
std::string proxy_url(const std::string& text);
std::vector<Settings::InitialUser> users(const std::string& text);
std::vector<Settings::InitialKey> keys(const std::string& text);

/// What ModelMap reads.
std::string model_mapper(const std::string& text);

/// A host name or IP address (IPv6 with or without brackets, kept without), or nothing.
std::string host(const std::string& text);
/// Text without control characters.
std::string one_line(const std::string& text);
/// `address` or `Name <address>`, or nothing.
std::string mail_sender(const std::string& text);
std::optional<Settings::EmailTls> email_tls(const std::string& text);

struct HostPort {
  std::string host;
  std::uint16_t port;
};
HostPort host_port(const std::string& text);

}  // namespace proxyxai::value
