#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace proxyxai {

/// The parameters of a query string, decoded (the URL standard's application/x-www-form-urlencoded), in order; at most 64.
std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query);

/// `text` with %XX decoded; a malformed sequence stays as it is.
std::string percent_decode(std::string_view text, bool plus_is_space = false);

}  // namespace proxyxai
