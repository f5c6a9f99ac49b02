#pragma once

#include <cstdint>

#include "proxyxai/accounts/bootstrap.hpp"

namespace proxyxai {

/// Shows a key that has just been made, this once; for root's, with the commands to type next.
void print_welcome(const NewAccountKey& made, const char* scheme, std::uint16_t port, bool has_upstream_keys);
/// The same for programs that read the output: one JSON object on a line. Not through the log, which masks keys.
void print_welcome_json(const NewAccountKey& made);

}  // namespace proxyxai
