#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

namespace proxyxai {

/// What the program was asked to do.
struct CommandLine {
  enum class Command { serve, check, keys_add, backup, config, help, version };
  Command command = Command::serve;
  std::string config_file;              ///< `--config`; empty: not given.
  std::string argument;                 ///< Of `keys add` and `backup`.
};

/// The command, or what is wrong in words.
std::variant<CommandLine, std::string> parse_command_line(std::span<const char* const> arguments);

std::string help_text();

}  // namespace proxyxai
