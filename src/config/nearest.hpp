#pragma once

#include <string>
#include <vector>

namespace proxyxai {

/// `; did you mean 'port'?` when one of `known` is at most a third of its letters away from `word`, else empty.
std::string did_you_mean(const std::string& word, const std::vector<std::string>& known);

}  // namespace proxyxai
