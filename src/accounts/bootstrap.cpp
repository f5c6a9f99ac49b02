#include "proxyxai/accounts/bootstrap.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "account_rules.hpp"
#include "proxyxai/accounts/virtual_key.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/error.hpp"

namespace proxyxai {
namespace {

constexpr std::int64_t most_children_of_root = 1'000'000;

AccountRow row_of(const InitialAccount& wanted, const Secret& key, WallTime now) {
  AccountRow row;
  row.name = wanted.name;
  row.email = wanted.email;
  set_key(row, key);
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
  // All others are root's children: it comes first.
  std::stable_sort(wanted.begin(), wanted.end(), [](const InitialAccount& a, const InitialAccount& b) {
    return a.name == "root" && b.name != "root";
  });
  AccountRow root;
  for (const InitialAccount& each : wanted) {
    const std::optional<AccountRow> stored = co_await store.find_by_name(each.name);
    if (stored && stored->is_root) root = *stored;
    if (stored && each.key.empty()) continue;
    if (stored && stored->key_digest == sha256(each.key.reveal())) continue;
    const Secret key = each.key.empty() ? make_virtual_key() : each.key;
    AccountRow row = row_of(each, key, now);
    if (each.email.empty() && stored) row.email = stored->email;
    if (row.is_root) {
      row.child_limit = most_children_of_root;
    } else {
      row.parent_id = root.id;
      row.level = 1;
      row.dna = root.dna;
    }
    const AccountRow put = co_await store.put_account(std::move(row));
    if (put.is_root) root = put;
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
