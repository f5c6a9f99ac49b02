#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/config/settings.hpp"

namespace proxyxai {

/// One setting, as the operator knows it. The environment name in lower case is its name in the configuration file.
struct SettingInfo {
  std::string_view name;           ///< Of the environment, e.g. `PORT`.
  std::string_view initial;        ///< As text; empty: not set.
  std::string_view allowed;        ///< In words.
  std::string_view description;
  bool is_secret = false;
};

/// Every setting, in the order of the documentation.
std::vector<SettingInfo> setting_table();

/// Where environment variables come from; nullopt: not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
/// The process's own.
Environment process_environment();

struct LoadResult {
  Settings settings;
  std::vector<std::string> faults;     ///< Each names setting, value, source and what is allowed. Not empty: use nothing.
  std::vector<std::string> warnings;
  struct Value {
    std::string text, source;          ///< Secrets as `***`.
  };
  std::map<std::string, Value, std::less<>> values;  ///< By name: what is in force and where it comes from.
};

/// Defaults, then the file, then the environment. `file` empty: `config/proxyxai.json` when there is one. Finds every fault,
/// not only the first.
LoadResult load_settings(const std::string& file, const Environment& environment);

/// Of these names of environment variables, those that are nearly but not quite a setting's, each with the question whether that was
/// meant.
std::vector<std::string> misspelt_settings(const std::vector<std::string>& names);

/// The settings in force as aligned text, secrets redacted, for `proxyxai config`.
std::string describe(const LoadResult& loaded);

}  // namespace proxyxai
