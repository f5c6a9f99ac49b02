#include "value.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

#include <arpa/inet.h>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/cidr.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/base/origin_address.hpp"
#include "proxyxai/metering/model_map.hpp"

namespace proxyxai::value {
namespace {

constexpr std::size_t min_upstream_key = 20;

bool is_ip(const std::string& text) {
  in6_addr ignored{};
  // A file may have a NUL, which would end it early.
  if (text.find('\0') != text.npos) return false;
  return inet_pton(AF_INET, text.c_str(), &ignored) == 1 || inet_pton(AF_INET6, text.c_str(), &ignored) == 1;
}

std::string trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return std::string(text);
}

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z'); }

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

bool is_host_name(std::string_view text) {
  return !text.empty() && is_letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter_or_digit(c) || c == '.' || c == '-'; });
}

bool is_mail_address(std::string_view text) {
  const auto at = text.find('@');
  if (at == text.npos || at == 0 || !is_host_name(text.substr(at + 1))) return false;
  return std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), [](char c) {
    return is_letter_or_digit(c) || std::string_view(".!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
  });
}

/// The next field of `a:b:c` or `a::b::c`.
std::string next_field(std::string_view& rest, std::string_view separator) {
  const auto end = rest.find(separator);
  std::string field(rest.substr(0, end));
  rest = end == rest.npos ? std::string_view() : rest.substr(end + separator.size());
  return field;
}

}  // namespace

Money money(const std::string& text) {
  const auto amount = parse_money(text);
  if (!amount || amount->nanos < 0) throw BadValue{};
  return *amount;
}

std::uint64_t number(const std::string& text, std::uint64_t lowest, std::uint64_t highest) {
  std::uint64_t result = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, result);
  if (failed != std::errc{} || rest != end || result < lowest || result > highest) throw BadValue{};
  return result;
}

std::uint64_t size(const std::string& text, std::uint64_t lowest) {
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, count);
  std::string unit = trimmed({rest, static_cast<std::size_t>(end - rest)});
  std::transform(unit.begin(), unit.end(), unit.begin(), to_lower);
  unsigned shift = 0;
  if (unit == "k" || unit == "kib" || unit == "kb") shift = 10;
  else if (unit == "m" || unit == "mib" || unit == "mb") shift = 20;
  else if (unit == "g" || unit == "gib" || unit == "gb") shift = 30;
  else if (!unit.empty() && unit != "b") throw BadValue{};
  if (failed != std::errc{} || count > (std::uint64_t{1} << 50 >> shift) || count << shift < lowest) throw BadValue{};
  return count << shift;
}

milliseconds duration(const std::string& text) {
  const auto length = parse_duration(text);
  if (!length || length->count() <= 0) throw BadValue{};
  return *length;
}

std::string one_of(const std::string& text, std::initializer_list<std::string_view> words) {
  if (std::find(words.begin(), words.end(), text) == words.end()) throw BadValue{};
  return text;
}

std::vector<std::string> list(const std::string& text) {
  std::vector<std::string> items;
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string item = trimmed(next_field(rest, ","));
    if (!item.empty()) items.push_back(std::move(item));
  }
  return items;
}

std::string readable_file(const std::string& text) {
  if (!text.empty() && !std::ifstream(text).good()) throw BadValue{"the file cannot be read"};
  return text;
}

std::vector<std::string> ip_addresses(const std::string& text) {
  auto items = list(text);
  if (items.empty()) throw BadValue{};
  for (const std::string& each : items) {
    if (!is_ip(each)) throw BadValue{"'" + each + "' is no IP address"};
  }
  return items;
}

std::vector<std::string> cidr_list(const std::string& text) {
  auto items = list(text);
  std::string bad;
  if (!CidrList::parse(items, &bad)) throw BadValue{"'" + bad + "' is no address or range"};
  return items;
}

std::vector<std::string> origins(const std::string& text) {
  auto items = list(text);
  for (const std::string& each : items) {
    if (each == "*" || each == "null") continue;
    const auto address = parse_origin(each);
    const bool has_scheme = each.starts_with("http://") || each.starts_with("https://");
    if (!has_scheme || !address || to_url(*address) != each) throw BadValue{"'" + each + "' is no origin"};
  }
  return items;
}

std::string origin_url(const std::string& text) {
  const auto address = parse_origin(text);
  if (!address) throw BadValue{};
  return to_url(*address);
}

std::string proxy_url(const std::string& text) {
  if (text.empty()) return text;
  static constexpr std::string_view scheme = "http://";
  if (!text.starts_with(scheme)) throw BadValue{};
  std::string rest = text.substr(scheme.size());
  if (const auto at = rest.rfind('@'); at != rest.npos) {
    if (rest.substr(0, at).find(':') == rest.npos) throw BadValue{"user info must be user:password"};
    rest = rest.substr(at + 1);
  }
  const auto address = parse_origin("http://" + rest);
  if (!address || !address->prefix.empty()) throw BadValue{};
  return text;
}

std::vector<Settings::InitialUser> users(const std::string& text) {
  std::vector<Settings::InitialUser> result;
  for (const std::string& item : list(text)) {
    // `name::email::key` is the reference's spelling; a key has no colon, nor has an address that people use.
    const std::string_view separator = item.find("::") != item.npos && item.find("::") == item.find(':') ? "::" : ":";
    std::string_view rest = item;
    Settings::InitialUser user;
    user.name = trimmed(next_field(rest, separator));
    user.email = trimmed(next_field(rest, separator));
    std::string key = trimmed(next_field(rest, separator));
    // By number only: what stands in the name's place may be a key.
    const std::string place = "entry " + std::to_string(result.size() + 1);
    const bool good_name = !user.name.empty() && user.name.size() <= 63 &&
                           std::all_of(user.name.begin(), user.name.end(), [](char c) {
                             return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
                           });
    if (!good_name) throw BadValue{place + " has no good name (letters, digits, - and _)"};
    if (user.email.find('@') == user.email.npos) throw BadValue{place + " has no e-mail address"};
    if (!rest.empty()) throw BadValue{place + " has more than three parts"};
    if (!key.empty() && key.size() != 51) throw BadValue{place + " has a key of " + std::to_string(key.size()) + " characters"};
    user.key = Secret(std::move(key));
    result.push_back(std::move(user));
  }
  return result;
}

std::vector<Settings::InitialKey> keys(const std::string& text) {
  std::vector<Settings::InitialKey> result;
  for (const std::string& item : list(text)) {
    const std::string place = "entry " + std::to_string(result.size() + 1);
    std::string_view rest = item;
    std::string secret = next_field(rest, "::");
    const bool printable = std::all_of(secret.begin(), secret.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!printable) throw BadValue{place + " has spaces or control characters"};
    if (secret.size() < min_upstream_key) throw BadValue{place + " has only " + std::to_string(secret.size()) + " characters"};
    Settings::InitialKey key;
    if (!rest.empty()) {
      const auto address = parse_origin(rest);
      if (!address) throw BadValue{place + " has a provider that is no http(s) URL"};
      key.provider = to_url(*address);
    }
    key.secret = Secret(std::move(secret));
    result.push_back(std::move(key));
  }
  return result;
}

std::string model_mapper(const std::string& text) {
  try {
    const ModelMap read(text);
  } catch (const Failure& failure) {
    throw BadValue{failure.what()};
  }
  return text;
}

std::string host(const std::string& text) {
  const bool in_brackets = text.starts_with('[') && text.ends_with(']');
  std::string inner = in_brackets ? text.substr(1, text.size() - 2) : text;
  if (!is_ip(inner) && !is_host_name(text) && !text.empty()) throw BadValue{};
  return inner;
}

std::string one_line(const std::string& text) {
  if (std::any_of(text.begin(), text.end(), is_control)) throw BadValue{"it has control characters"};
  return text;
}

std::string mail_sender(const std::string& text) {
  std::string_view address = text;
  if (const auto opening = text.find('<'); opening != text.npos && text.ends_with('>')) {
    address = address.substr(opening + 1, text.size() - opening - 2);
  }
  if (!text.empty() && !is_mail_address(address)) throw BadValue{};
  return one_line(text);
}

std::optional<Settings::EmailTls> email_tls(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::string word = one_of(text, {"starttls", "tls", "none"});
  if (word == "none") return Settings::EmailTls::none;
  return word == "tls" ? Settings::EmailTls::tls : Settings::EmailTls::starttls;
}

HostPort host_port(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == text.npos) throw BadValue{};
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!is_ip(host)) throw BadValue{};
  return {host, static_cast<std::uint16_t>(number(text.substr(colon + 1), 0, 65535))};
}

}  // namespace proxyxai::value
