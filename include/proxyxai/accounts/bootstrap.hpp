#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxyxai/accounts/directory.hpp"
#include "proxyxai/base/secret.hpp"

namespace proxyxai {

/// An account that the settings name (INIT_USERS).
struct InitialAccount {
  std::string name, email;
  Secret key;  ///< Empty: make one.
};

/// A key that this start has made, to be shown once.
struct NewAccountKey {
  std::string name;
  Secret key;
};

/// Sees to it that there is a root account and that the named accounts exist. A key given for an existing account that is
/// not its key replaces it, with a warning. Throws Failure, without showing the key, for one of the wrong form.
Task<std::vector<NewAccountKey>> ensure_accounts(AccountStore& store, AccountDirectory& directory,
                                                 std::vector<InitialAccount> wanted, WallTime now);

}  // namespace proxyxai
