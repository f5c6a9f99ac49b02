#include "proxyxai/accounts/bootstrap.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "proxyxai/accounts/virtual_key.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/error.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t shown_tail = 20;

AccountRow row_of(const InitialAccount& wanted, const Secret& key, WallTime now) {
  AccountRow row;
  row.name = wanted.name;
  row.email = wanted.email;
  row.key_digest = sha256(key.reveal());
  row.partial = key.tail(shown_tail);
  row.is_root = wanted.name == "root";
  row.created_at = now;
  return row;
}

}  // namespace

Task<std::vector<NewAccountKey>> ensure_accounts(AccountStore& store, AccountDirectory& directory,
                                                 std::vector<InitialAccount> wanted, WallTime now) {
  std::vector<NewAccountKey> made;
  for (const InitialAccount& each : wanted) {
    if (!each.key.empty() && !is_virtual_key(each.key.reveal())) {
      throw Failure("INIT_USERS: the key of '" + each.name + "' must be 'sk-Xvs' and 45 random letters and digits; leave it "
                    "empty (" + each.name + ":" + each.email + ":) to have one made");
    }
  }
  // The database compares names without case, and root is root however it is written.
  for (InitialAccount& each : wanted) {
    if (equals_lower(each.name, "root")) each.name = "root";
  }
  const bool has_root = std::any_of(wanted.begin(), wanted.end(), [](const InitialAccount& each) { return each.name == "root"; });
  if (!has_root) wanted.insert(wanted.begin(), InitialAccount{"root", "root@localhost", {}});
  for (const InitialAccount& each : wanted) {
    const std::optional<AccountRow> stored = co_await store.find_by_name(each.name);
    if (stored && each.key.empty()) continue;
    if (stored && stored->key_digest == sha256(each.key.reveal())) continue;
    const Secret key = each.key.empty() ? make_virtual_key() : each.key;
    AccountRow row = row_of(each, key, now);
    if (each.email.empty() && stored) row.email = stored->email;
    co_await store.put_account(std::move(row));
    if (stored) {
      spdlog::warn("INIT_USERS replaces the key of account '{}': the old key is refused from now on", each.name);
      directory.forget(stored->key_digest);
    } else if (each.key.empty()) {
      made.push_back({each.name, key});
    }
  }
  co_return made;
}

}  // namespace proxyxai
