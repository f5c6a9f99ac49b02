#pragma once

#include <optional>

#include "proxyxai/base/digest.hpp"
#include "proxyxai/http/handler.hpp"
#include "proxyxai/http/parser.hpp"

namespace proxyxai {

/// The SHA-256 of the whole virtual key that a request carries, by which AccountDirectory knows it; nullopt: there is none.
/// Any thread.
std::optional<Digest> credential_digest(const Fields& fields);

/// One text whatever was wrong with the key, and never the key: answers end up in logs and screenshots.
ApiError unknown_key_error();
ApiError disabled_account_error();

}  // namespace proxyxai
