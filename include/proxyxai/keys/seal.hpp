#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxyxai/base/digest.hpp"
#include "proxyxai/base/secret.hpp"

namespace proxyxai {

/// Seals upstream keys at rest: AES-256-GCM (NIST SP 800-38D) with a fresh 96-bit nonce, bound to the fingerprint of the
/// secret. Format: version byte 1, nonce, ciphertext, 16-byte tag. Any thread.
class Sealer {
 public:
  /// With the key derived from `master_key` (HKDF-SHA256, RFC 5869), or, when that is empty, with the one in
  /// `directory/master.key`, which is made when it is not there. Throws Failure naming the file.
  static Sealer open(const Secret& master_key, const std::string& directory);
  ~Sealer();
  Sealer(const Sealer&) = default;
  Sealer& operator=(const Sealer&) = delete;

  [[nodiscard]] std::string seal(const Secret& secret, const Digest& fingerprint) const;
  /// Nothing when it was sealed under another key or for another fingerprint, or is damaged.
  [[nodiscard]] std::optional<Secret> unseal(std::string_view sealed, const Digest& fingerprint) const;

 private:
  Sealer() = default;
  std::array<std::uint8_t, 32> key_{};
};

}  // namespace proxyxai
