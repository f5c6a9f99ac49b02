#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace proxyxai {

/// A SHA-256 value (FIPS 180-4).
using Digest = std::array<std::uint8_t, 32>;

/// SHA-256 of `text`. Any thread.
Digest sha256(std::string_view text);

/// Hash functor for containers keyed by a digest, which is uniformly distributed already.
struct DigestHash {
  std::size_t operator()(const Digest& digest) const noexcept {
    std::size_t head = 0;
    std::memcpy(&head, digest.data(), sizeof head);
    return head;
  }
};

}  // namespace proxyxai
