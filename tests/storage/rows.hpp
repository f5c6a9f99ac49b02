#pragma once

#include <string>

#include "proxyxai/base/digest.hpp"
#include "proxyxai/storage/account_store.hpp"

namespace proxyxai {

/// A key of which every field is told from the default and from those of other names.
inline KeyRow key_row(const std::string& secret) {
  KeyRow row;
  row.fingerprint = sha256(secret);
  row.sealed = std::string("\1\0\xff", 3) + secret;
  row.partial = "part";
  row.name = "name of " + secret;
  row.provider = "https://" + secret;
  row.level = -3;
  row.weight = 17;
  row.quota = {18, 19, 20};
  row.health = R"({"state":"active"})";
  row.created_at = from_unix_ms(1'700'000'000'123);
  return row;
}

inline AccountRow account_row(const std::string& name) {
  AccountRow row;
  row.name = name;
  row.email = name + "@example.com";
  row.key_digest = sha256("key of " + name);
  row.partial = "tail of " + name;
  row.is_root = name == "root";
  row.created_at = from_unix_ms(1'700'000'000'456);
  return row;
}

}  // namespace proxyxai
