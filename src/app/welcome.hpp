#pragma once

#include <cstdint>

#include "proxyxai/base/secret.hpp"

namespace proxyxai {

/// Shows a root key that has just been made, this once, with the three commands to type next.
void print_welcome(const Secret& root_key, const char* scheme, std::uint16_t port);

}  // namespace proxyxai
