#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace proxyxai {

/// What the program was asked to do.
struct CommandLine {
  enum class Command { serve, health, check, keys_add, keys_delete, backup, restore, rekey, config, reconcile, help, version };
  /// By name, such as `--key`.
  using Options = std::map<std::string, std::string, std::less<>>;
  Command command = Command::serve;
  std::string config_file;              ///< `--config`; empty: not given.
  std::string argument;                 ///< Of `keys add`, `keys delete`, `backup` and `restore`.
  Options options;                      ///< Of `reconcile`.
};

/// The command, or what is wrong in words.
std::variant<CommandLine, std::string> parse_command_line(std::span<const char* const> arguments);

std::string help_text();

}  // namespace proxyxai
