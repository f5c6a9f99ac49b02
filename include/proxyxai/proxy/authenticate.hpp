#pragma once

#include "proxyxai/accounts/directory.hpp"
#include "proxyxai/http/handler.hpp"
#include "proxyxai/http/parser.hpp"

namespace proxyxai {

/// The account whose virtual key a request carries, by the SHA-256 of the whole key; null: there is none, or no such key.
/// `fields` must outlive the call. Loop thread only. Throws StorageError when the database cannot be asked.
Task<AccountPtr> authenticate(AccountDirectory& accounts, const Fields& fields);

/// One text whatever was wrong with the key, and never the key: answers end up in logs and screenshots.
ApiError unknown_key_error();
ApiError disabled_account_error();

}  // namespace proxyxai
