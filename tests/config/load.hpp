#pragma once

#include <map>
#include <optional>
#include <string>

#include "proxyxai/config/loader.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {

using Variables = std::map<std::string, std::string>;

/// Loads a file of this content with these variables, and nothing of the process's own.
inline LoadResult load(const std::string& content, const Variables& variables = {}) {
  const TempDirectory directory;
  return load_settings(directory.write("test.json", content), [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

/// All of them, one a line.
inline std::string lines(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& each : texts) out += each + "\n";
  return out;
}

}  // namespace proxyxai
