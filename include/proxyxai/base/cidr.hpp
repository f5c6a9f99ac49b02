#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace proxyxai {

/// A set of IPv4 and IPv6 address ranges. Any thread.
class CidrList {
 public:
  /// `10.0.0.0/8`, `::1`, or the word `loopback`; nullopt when one of them is none of these, and then `*bad` names it.
  static std::optional<CidrList> parse(std::span<const std::string> ranges, std::string* bad = nullptr);
  /// False for what is no address. An IPv4 address in IPv6 clothes (`::ffff:1.2.3.4`) counts as the IPv4 one.
  [[nodiscard]] bool contains(std::string_view address) const;

 private:
  struct Range {
    std::array<std::uint8_t, 16> first;  // IPv4 as ::ffff:a.b.c.d
    unsigned bits;
  };
  std::vector<Range> ranges_;
};

}  // namespace proxyxai
