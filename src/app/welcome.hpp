#pragma once

#include <cstdint>

#include "proxyxai/accounts/bootstrap.hpp"

namespace proxyxai {

/// Shows a key that has just been made, this once; for root's, with the commands to type next.
void print_welcome(const NewAccountKey& made, const char* scheme, std::uint16_t port, bool has_upstream_keys);

}  // namespace proxyxai
