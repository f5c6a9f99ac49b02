#include "proxyxai/base/digest.hpp"

#include <openssl/evp.h>

namespace proxyxai {

Digest sha256(std::string_view text) {
  // To look the algorithm up takes longer than to hash a key with it.
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  Digest digest;
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, algorithm, nullptr);
  return digest;
}

}  // namespace proxyxai
