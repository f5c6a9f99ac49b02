#pragma once

#include <cstdint>
#include <string_view>

#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {

/// FNV-1a of `text`, going on from `hash`.
inline constexpr std::uint64_t first_hash = 0xcbf29ce484222325;
constexpr std::uint64_t hash_on(std::uint64_t hash, std::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// Tells prompts that begin alike, as upstream's prompt cache does: by the bytes that hold their first 1,024 tokens, or by the
/// `prompt_cache_key` that the caller gives. Fed the body in pieces of any size, each after JsonScan has read it. One body.
class PromptHash {
 public:
  explicit PromptHash(const RequestFacts& facts) : facts_(facts) {}
  void feed(std::string_view piece);
  /// 0: too short to be cached.
  [[nodiscard]] std::uint64_t value() const;

 private:
  static constexpr std::uint64_t bytes_hashed = 4'096;  // of text, four to a token

  const RequestFacts& facts_;
  std::uint64_t fed_ = 0, hashed_ = 0;
  std::uint64_t hash_ = first_hash;
};

}  // namespace proxyxai
