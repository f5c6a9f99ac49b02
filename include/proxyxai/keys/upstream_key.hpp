#pragma once

#include <memory>
#include <string>

#include "proxyxai/base/attempt.hpp"
#include "proxyxai/base/secret.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {

/// An upstream key as loaded: what does not change while requests use it. Shared by the pool and by every attempt in
/// flight, so that a deleted key lives until its last request has ended.
// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): an aggregate; a copy wipes itself too
struct UpstreamKey {
  KeyId id = 0;
  Secret secret;
  std::string authorization;  ///< Ready header value `Bearer sk-…`, wiped with the key; never logged.
  std::string provider;       ///< Base URL, e.g. `https://api.openai.com`; selects the upstream origin.
  std::string name;
  int level = 0;
  unsigned weight = 1;        ///< Share of requests relative to the other keys; 1–1000.
  KeyQuota quota;
  ~UpstreamKey();
};
using UpstreamKeyPtr = std::shared_ptr<const UpstreamKey>;

}  // namespace proxyxai
