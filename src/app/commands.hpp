#pragma once

#include <string>

#include "proxyxai/config/settings.hpp"

namespace proxyxai {

/// The commands that do their work and end. Each returns the exit code and throws Failure in words for the operator.

/// `proxyxai check`
int check(const Settings& settings);
/// `proxyxai backup FILE`
int backup(const Settings& settings, const std::string& target);
/// `proxyxai keys add FILE|-`: one key a line, as `sk-...` or `sk-...::https://host`.
int add_keys(const Settings& settings, const std::string& source);

}  // namespace proxyxai
