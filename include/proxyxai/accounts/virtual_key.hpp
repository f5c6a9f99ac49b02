#pragma once

#include <string_view>

#include "proxyxai/base/secret.hpp"

namespace proxyxai {

/// A new virtual key: `sk-Xvs` and 45 of [A-Za-z0-9] from the cryptographic source.
Secret make_virtual_key();

/// True for text of that form that somebody may have drawn at random: not `sk-Xvs` and one letter over and over.
bool is_virtual_key(std::string_view text);

}  // namespace proxyxai
