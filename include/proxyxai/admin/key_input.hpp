#pragma once

#include <variant>
#include <vector>

#include "proxyxai/http/handler.hpp"
#include "proxyxai/keys/service.hpp"

namespace proxyxai {

/// What a `POST /x-keys` asks for.
struct KeyInput {
  std::vector<NewKey> keys;
  bool is_list = false;   ///< Given as a list: answered with counts.
  bool verify = false;
};

/// Reads the body of `POST /x-keys` in any of its forms. The error names the field, and its place in a list; nothing of a
/// body with an error counts.
std::variant<KeyInput, ApiError> read_new_keys(std::string_view content_type, std::string_view body);

/// Reads the body of `PUT /x-keys/{id}`.
std::variant<KeyChange, ApiError> read_key_change(std::string_view body);

}  // namespace proxyxai
