#include "proxyxai/config/command_line.hpp"

#include <algorithm>

#include "nearest.hpp"
#include "table.hpp"

namespace proxyxai {
namespace {

using Command = CommandLine::Command;

struct CommandRow {
  const char* words;
  Command command;
  const char* argument;  // its name in the help; null: none
  const char* description;
  std::span<const char* const> options = {};  // each takes a value
};

constexpr const char* reconcile_options[] = {"--key", "--since", "--until", "--upstream-key-id", "--project", "--tolerance"};

constexpr CommandRow commands[] = {
    {"serve", Command::serve, nullptr, "serve clients (also without a command)"},
    {"health", Command::health, nullptr, "ask the daemon that runs here whether it takes requests: 0 yes, 1 no"},
    {"check", Command::check, nullptr, "check the database, also while a daemon uses it"},
    {"keys add", Command::keys_add, "FILE|-", "store upstream keys, one a line; a running daemon takes them at SIGHUP"},
    {"keys delete", Command::keys_delete, "ID|unreadable|all", "forget an upstream key, those that do not open with the present master key, or all"},
    {"backup", Command::backup, "FILE", "write a consistent copy of the database, also while serving"},
    {"restore", Command::restore, "FILE", "put such a copy in place of the database, which is kept; no daemon may run"},
    {"rekey", Command::rekey, nullptr, "seal the stored keys under another master key: NEW_MASTER_KEY, or a new master.key; no daemon may run"},
    {"config", Command::config, nullptr, "show the settings in force and where each comes from, secrets redacted"},
    {"reconcile", Command::reconcile, nullptr, "hold what an upstream key was used for against upstream's usage API; see below",
     reconcile_options},
};

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

bool takes(const CommandRow& command, std::string_view option) {
  return std::find(command.options.begin(), command.options.end(), option) != command.options.end();
}

bool is_option(std::string_view word) {
  return std::any_of(std::begin(commands), std::end(commands), [word](const CommandRow& each) { return takes(each, word); });
}

std::string unknown_option(const std::string& word) {
  std::vector<std::string> known{"--config", "--help", "--version"};
  for (const CommandRow& each : commands) known.insert(known.end(), each.options.begin(), each.options.end());
  return "unknown option '" + word + "'" + did_you_mean(word, known);
}

}  // namespace

std::variant<CommandLine, std::string> parse_command_line(std::span<const char* const> arguments) {
  CommandLine line;
  std::vector<std::string> words;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string word = arguments[i];
    if (word == "--help" || word == "-h" || word == "help") {
      line.command = Command::help;
      return line;
    }
    if (word == "--version" || word == "version") {
      line.command = Command::version;
      return line;
    }
    if (word == "--config") {
      if (++i == arguments.size()) return "--config needs a file";
      line.config_file = arguments[i];
    } else if (word.starts_with("--config=")) {
      line.config_file = word.substr(9);
    } else if (const auto equals = std::min(word.find('='), word.size()); is_option(word.substr(0, equals))) {
      const std::string name = word.substr(0, equals);
      if (equals == word.size() && ++i == arguments.size()) return name + " needs a value";
      const bool is_new = line.options.emplace(name, equals == word.size() ? arguments[i] : word.substr(equals + 1)).second;
      if (!is_new) return name + " is given twice";
    } else if (word.starts_with("-") && word != "-") {
      return unknown_option(word);
    } else {
      words.push_back(word);
    }
  }
  if (words.empty()) words.emplace_back("serve");
  std::string name = words[0];
  words.erase(words.begin());
  if (name == "keys" && !words.empty()) {
    name += " " + words[0];
    words.erase(words.begin());
  }
  const auto* const row = std::find_if(std::begin(commands), std::end(commands), [&](const CommandRow& each) { return name == each.words; });
  if (row == std::end(commands)) {
    std::vector<std::string> known;
    for (const CommandRow& each : commands) known.emplace_back(each.words);
    return "unknown command '" + name + "'" + did_you_mean(name, known);
  }
  line.command = row->command;
  for (const auto& [option, value] : line.options) {
    if (!takes(*row, option)) return "'" + name + "' does not take " + option;
  }
  if (row->argument != nullptr) {
    if (words.empty()) return "'" + name + "' needs " + row->argument;
    line.argument = words[0];
    words.erase(words.begin());
  }
  if (!words.empty()) return "'" + name + "' does not take '" + words[0] + "'";
  return line;
}

std::string help_text() {
  std::string text =
      "proxyxai: a gateway that turns OpenAI keys into stable, metered API service.\n\n"
      "Usage: proxyxai [COMMAND] [--config FILE]\n\nCommands:\n";
  for (const CommandRow& each : commands) {
    const std::string words = std::string(each.words) + (each.argument == nullptr ? "" : std::string(" ") + each.argument);
    text += "  " + padded(words, 30) + each.description + "\n";
  }
  text +=
      "\nOptions:\n"
      "  --config FILE     settings in JSON; without it config/proxyxai.json, when there is one\n"
      "  --help            this text\n"
      "  --version         the version\n\n"
      "Settings, from the environment or, in lower case, from the file; the environment wins:\n";
  for (const SettingRow& row : setting_rows()) {
    text += "  " + padded(std::string(row.name), 22) + padded(row.initial.empty() ? "-" : std::string(row.initial), 16) +
            std::string(row.description) + "\n";
  }
  text +=
      "\nReconcile: proxyxai reconcile --key ID --since DATE [--until DATE] [--upstream-key-id key_...] [--project proj_...] [--tolerance PERCENT]\n"
      "By day of UTC and model: the requests and tokens that the ledger has for upstream key ID (GET /x-keys lists them) and those that OpenAI's\n"
      "usage API tells, and dollars by day. Both days are included; --until is today without it. Asks with an admin key of the organisation\n"
      "in the environment variable OPENAI_ADMIN_KEY. OpenAI's own id of the key, or its project, narrows what is asked for; without, it is the\n"
      "whole organisation. Ends with 0 when both agree within PERCENT (1), 1 when they differ, 2 when they could not be compared.\n"
      "\nSockets that systemd hands over (LISTEN_FDS) are used in place of PORT and LISTEN_ADDRESS; one named operations, of ADMIN_LISTEN.\n"
      "\nSignals: SIGTERM and SIGINT finish the requests in flight and stop, a second one stops at once; SIGHUP reads keys, prices,\n"
      "certificates and the log level again.\n\n"
      "Examples:\n"
      "  INIT_KEYS=sk-one...,sk-two... proxyxai\n"
      "  proxyxai keys add keys.txt && kill -HUP $(pidof proxyxai)\n";
  return text;
}

}  // namespace proxyxai
