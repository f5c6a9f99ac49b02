#include "proxyxai/base/cidr.hpp"

#include <charconv>
#include <cstring>

#include <arpa/inet.h>

namespace proxyxai {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

struct Address {
  Bytes bytes;
  bool is_v4;
};

std::optional<Address> parse_address(std::string_view text) {
  char copy[64];
  // A NUL would end it early.
  if (text.size() >= sizeof copy || text.find('\0') != text.npos) return std::nullopt;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  Address address{{}, false};
  if (inet_pton(AF_INET6, copy, address.bytes.data()) == 1) return address;
  address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
  address.is_v4 = true;
  if (inet_pton(AF_INET, copy, address.bytes.data() + 12) == 1) return address;
  return std::nullopt;
}

bool matches(const Bytes& a, const Bytes& b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

}  // namespace

std::optional<CidrList> CidrList::parse(std::span<const std::string> ranges, std::string* bad) {
  CidrList list;
  const auto fail = [bad](const std::string& text) {
    if (bad != nullptr) *bad = text;
    return std::nullopt;
  };
  for (const std::string& text : ranges) {
    if (text == "loopback") {
      list.ranges_.push_back({parse_address("127.0.0.0")->bytes, 96 + 8});
      list.ranges_.push_back({parse_address("::1")->bytes, 128});
      continue;
    }
    const std::string_view view = text;
    const auto slash = view.find('/');
    const auto address = parse_address(view.substr(0, slash));
    if (!address) return fail(text);
    const unsigned most = address->is_v4 ? 32 : 128;
    unsigned bits = most;
    if (slash != view.npos) {
      const auto digits = view.substr(slash + 1);
      const auto [rest, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
      if (failed != std::errc{} || rest != digits.data() + digits.size() || bits > most) return fail(text);
    }
    list.ranges_.push_back({address->bytes, bits + 128 - most});
  }
  return list;
}

bool CidrList::contains(std::string_view text) const {
  if (ranges_.empty()) return false;
  const auto address = parse_address(text);
  if (!address) return false;
  for (const Range& each : ranges_) {
    if (matches(address->bytes, each.first, each.bits)) return true;
  }
  return false;
}

}  // namespace proxyxai
