#pragma once

#include <string_view>

namespace proxyxai {

/// Writes `bytes`, which keeps what is left; false when the reader of a pipe or terminal has stood still for `patience_ms`. Any thread.
bool write_patiently(int descriptor, std::string_view& bytes, int patience_ms);

}  // namespace proxyxai
