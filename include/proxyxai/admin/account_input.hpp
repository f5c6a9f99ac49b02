#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/accounts/service.hpp"

namespace proxyxai {

/// What the body of a `POST` or `PUT /x-users` asks for.
struct AccountInput {
  AccountChange change;
  std::vector<std::string> fields;  ///< The names it gives.
};

/// Reads such a body. Throws Refused for unknown fields, for those that no caller may set (`not_settable`), and for values that
/// are not of their field's kind; the rules of the accounts themselves are AccountService's. Pure; any thread.
AccountInput read_account_input(std::string_view body);

/// What the body of `POST /x-self` or `/x-root` asks for.
struct RotationInput {
  std::string name;                 ///< Empty: the caller itself.
  Secret key;                       ///< Empty: make one.
};

/// Reads such a body, of which `confirm` must be `confirmation`. Fields other than `confirm` only with `by_root`.
RotationInput read_rotation(std::string_view body, const std::string& confirmation, bool by_root);

}  // namespace proxyxai
