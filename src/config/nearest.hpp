#pragma once

#include <string>
#include <vector>

namespace proxyxai {

/// `; did you mean 'port'?` when one of `known` is at most a third of its letters, and `most` letters, away from `word`, else empty.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known, std::size_t most = 100);

}  // namespace proxyxai
