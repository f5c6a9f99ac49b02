#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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
  /// With the key derived from `material`.
  static Sealer with(const Secret& material);
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

/// The file `master.key` and the one that is to take its place: `master.key.next`, which is there from before the first secret is
/// sealed under it until it has the other's name. While it is there Sealer::open refuses `master.key`, for nobody knows which of the
/// two opens what. Each throws Failure naming the file. Any thread; whoever makes, drops or adopts one holds the directory's lock.
class MasterKeyFile {
 public:
  explicit MasterKeyFile(std::string directory) : directory_(std::move(directory)) {}
  /// What `master.key` opens, whatever stands beside it; throws when it is not there.
  [[nodiscard]] Sealer present() const;
  [[nodiscard]] bool has_present() const;
  [[nodiscard]] bool has_next() const;
  /// What `master.key.next` will open; made when it is not there.
  [[nodiscard]] Sealer next() const;
  /// Only while nothing is sealed under it.
  void drop_next() const;
  /// Gives it the name `master.key`. What had that name is kept as `master.key.before-rekey`, for backups of before need it.
  void adopt_next() const;

 private:
  const std::string directory_;
};

/// Every key that what is stored in `directory` may be sealed under: `master_key` or `master.key`, and `master.key.next` beside it. Makes
/// none; throws Failure when there is none.
std::vector<Sealer> possible_sealers(const Secret& master_key, const std::string& directory);

}  // namespace proxyxai
