#include "proxyxai/base/random.hpp"

#include <openssl/rand.h>

#include <array>
#include <random>
#include <string_view>

#include "proxyxai/base/error.hpp"

namespace proxyxai {

void random_bytes(std::span<std::uint8_t> bytes) {
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    throw Failure("the operating system gave no random bytes; is getrandom(2) allowed here?");
  }
}

std::string random_alphanumeric(std::size_t count) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  // Bytes from the largest multiple of 62 upward are thrown away: taking the remainder of all 256 would favour some letters.
  constexpr unsigned limit = 256 / alphabet.size() * alphabet.size();
  std::string text;
  text.reserve(count);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
  std::array<std::uint8_t, 64> pool;
  while (text.size() < count) {
    random_bytes(pool);
    for (const std::uint8_t byte : pool) {
      if (byte < limit && text.size() < count) text.push_back(alphabet[byte % alphabet.size()]);
    }
  }
  return text;
}

std::uint64_t random_u64() {
  thread_local std::mt19937_64 generator = [] {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
    std::array<std::uint8_t, sizeof(std::uint64_t)> seed;
    random_bytes(seed);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : seed) value = value << 8 | byte;
    return std::mt19937_64(value);
  }();
  return generator();
}

std::string make_request_id() {
  static constexpr char digits[] = "0123456789abcdef";
  std::string id = "req_000000000000000000000000";
  std::uint64_t random = random_u64();
  for (std::size_t i = 4; i < id.size(); ++i) {
    if (i == 20) random = random_u64();
    id[i] = digits[random & 15];
    random >>= 4;
  }
  return id;
}

}  // namespace proxyxai
