#include "proxyxai/proxy/authenticate.hpp"

#include "proxyxai/http/credentials.hpp"

namespace proxyxai {

Task<AccountPtr> authenticate(AccountDirectory& accounts, const Fields& fields) {
  const auto credential = find_credential(fields);
  if (credential.empty() || credential.size() > max_credential) co_return nullptr;
  const Digest digest = sha256(credential);
  AccountPtr account = accounts.find_cached(digest);
  if (!account) account = co_await accounts.find(digest);
  co_return account;
}

ApiError unknown_key_error() {
  return {401, "invalid_api_key", "Incorrect API key provided. Send your key as 'Authorization: Bearer sk-Xvs...'.", {}, true};
}

ApiError disabled_account_error() {
  return {401, "account_disabled", "This account is disabled. Ask whoever gave you the key.", {}, true};
}

}  // namespace proxyxai
