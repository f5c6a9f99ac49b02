#include "proxyxai/proxy/authenticate.hpp"

#include "proxyxai/http/credentials.hpp"

namespace proxyxai {

std::optional<Digest> credential_digest(const Fields& fields) {
  const auto credential = find_credential(fields);
  if (credential.empty() || credential.size() > max_credential) return std::nullopt;
  return sha256(credential);
}

ApiError unknown_key_error() {
  return {401, "invalid_api_key", "Incorrect API key provided. Send your key as 'Authorization: Bearer sk-Xvs...'.", {}, true};
}

ApiError disabled_account_error() {
  return {401, "account_disabled", "This account is disabled. Ask whoever gave you the key.", {}, true};
}

}  // namespace proxyxai
