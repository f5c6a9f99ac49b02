#include "proxyxai/keys/pool.hpp"

#include <openssl/crypto.h>

namespace proxyxai {

UpstreamKey::~UpstreamKey() {
  // The small-string buffer may hold more than the text, so the whole capacity is overwritten.
  authorization.resize(authorization.capacity());
  OPENSSL_cleanse(authorization.data(), authorization.size());
}

const char* to_string(KeyState state) {
  switch (state) {
    case KeyState::active: return "active";
    case KeyState::resting: return "resting";
    case KeyState::exhausted: return "exhausted";
    case KeyState::dead: return "dead";
    case KeyState::disabled: return "disabled";
  }
  return "unknown";
}

std::optional<KeyState> parse_key_state(std::string_view text) {
  for (const KeyState state :
       {KeyState::active, KeyState::resting, KeyState::exhausted, KeyState::dead, KeyState::disabled}) {
    if (text == to_string(state)) return state;
  }
  return std::nullopt;
}

}  // namespace proxyxai
