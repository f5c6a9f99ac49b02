#pragma once

#include <string>

#include "proxyxai/config/command_line.hpp"
#include "proxyxai/config/settings.hpp"

namespace proxyxai {

/// The commands that do their work and end. Each returns the exit code and throws Failure in words for the operator.

/// `proxyxai health`: 0 when the daemon of these settings takes requests.
int health(const Settings& settings);
/// `proxyxai check`
int check(const Settings& settings);
/// `proxyxai backup FILE`
int backup(const Settings& settings, const std::string& target);
/// `proxyxai restore FILE`
int restore(const Settings& settings, const std::string& source);
/// `proxyxai rekey`
int rekey(const Settings& settings);
/// `proxyxai keys add FILE|-`: one key a line, as `sk-...` or `sk-...::https://host`.
int add_keys(const Settings& settings, const std::string& source);
/// `proxyxai keys delete ID|unreadable`
int delete_keys(const Settings& settings, const std::string& which);
/// `proxyxai reconcile --key ID --since DATE ...`: 0: this ledger and upstream's books agree, 1: they differ, 2: they could not be
/// compared. Prints its own errors.
int reconcile(const Settings& settings, const CommandLine::Options& options);

}  // namespace proxyxai
