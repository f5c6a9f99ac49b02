#include "proxyxai/config/command_line.hpp"

#include <gmock/gmock.h>

#include "proxyxai/config/loader.hpp"

namespace proxyxai {
namespace {

using Command = CommandLine::Command;
using testing::HasSubstr;
using Words = std::vector<const char*>;

struct GoodLine {
  Words words;
  Command command;
  const char* argument = "";
  const char* config_file = "";
};

class Line : public testing::TestWithParam<GoodLine> {};

TEST_P(Line, IsUnderstood) {
  const auto parsed = parse_command_line(GetParam().words);
  const auto* const line = std::get_if<CommandLine>(&parsed);
  ASSERT_NE(line, nullptr) << std::get<std::string>(parsed);
  EXPECT_EQ(line->command, GetParam().command);
  EXPECT_EQ(line->argument, GetParam().argument);
  EXPECT_EQ(line->config_file, GetParam().config_file);
}

INSTANTIATE_TEST_SUITE_P(
    Lines, Line,
    testing::Values(GoodLine{{}, Command::serve}, GoodLine{{"serve"}, Command::serve}, GoodLine{{"check"}, Command::check},
                    GoodLine{{"config"}, Command::config}, GoodLine{{"keys", "add", "f.txt"}, Command::keys_add, "f.txt"},
                    GoodLine{{"keys", "add", "-"}, Command::keys_add, "-"}, GoodLine{{"backup", "b.db"}, Command::backup, "b.db"},
                    GoodLine{{"--config", "c.json"}, Command::serve, "", "c.json"}, GoodLine{{"--config=c.json"}, Command::serve, "", "c.json"},
                    GoodLine{{"check", "--config", "c.json"}, Command::check, "", "c.json"},
                    GoodLine{{"keys", "--config=c=d", "add", "f"}, Command::keys_add, "f", "c=d"}, GoodLine{{"--help"}, Command::help},
                    GoodLine{{"-h"}, Command::help}, GoodLine{{"help"}, Command::help}, GoodLine{{"keys", "add", "--help"}, Command::help},
                    GoodLine{{"reconcile"}, Command::reconcile}, GoodLine{{"health"}, Command::health}, GoodLine{{"rekey"}, Command::rekey}, GoodLine{{"reconcile", "--help"}, Command::help}, GoodLine{{"--version"}, Command::version}, GoodLine{{"version"}, Command::version}));

struct BadLine {
  Words words;
  const char* said;
};

class WrongLine : public testing::TestWithParam<BadLine> {};

TEST_P(WrongLine, IsRefusedInWords) {
  const auto parsed = parse_command_line(GetParam().words);
  const auto* const fault = std::get_if<std::string>(&parsed);
  ASSERT_NE(fault, nullptr);
  EXPECT_THAT(*fault, HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Lines, WrongLine,
    testing::Values(BadLine{{"--config"}, "--config needs a file"}, BadLine{{"serv"}, "did you mean 'serve'?"},
                    BadLine{{"--confg", "x"}, "did you mean '--config'?"}, BadLine{{"-x"}, "unknown option '-x'"},
                    BadLine{{"frobnicate"}, "unknown command 'frobnicate'"}, BadLine{{"keys"}, "unknown command 'keys'"},
                    BadLine{{"keys", "ad", "f"}, "did you mean 'keys add'?"}, BadLine{{"keys", "add"}, "'keys add' needs FILE"},
                    BadLine{{"backup"}, "'backup' needs FILE"}, BadLine{{"restore"}, "'restore' needs FILE"}, BadLine{{"keys", "delete"}, "'keys delete' needs ID|unreadable"},
                    BadLine{{"rekey", "now"}, "does not take 'now'"}, BadLine{{"health", "now"}, "does not take 'now'"}, BadLine{{"backup", "a", "b"}, "does not take 'b'"},
                    BadLine{{"check", "now"}, "does not take 'now'"}, BadLine{{"serve", "-"}, "does not take '-'"}, BadLine{{""}, "unknown command ''"},
                    BadLine{{"reconcile", "--kee", "1"}, "did you mean '--key'?"}, BadLine{{"reconcile", "--key"}, "--key needs a value"},
                    BadLine{{"reconcile", "--key=1", "--key", "2"}, "--key is given twice"}, BadLine{{"check", "--key", "1"}, "'check' does not take --key"},
                    BadLine{{"--key", "1"}, "'serve' does not take --key"}, BadLine{{"reconcile", "1"}, "does not take '1'"}));

TEST(Options, AreOfACommandWhereverTheyStand) {
  const Words words{"--since=2026-11-25", "--config", "c.json", "reconcile", "--key", "1", "--project", "a=b", "--until="};
  const auto parsed = parse_command_line(words);
  const auto* const line = std::get_if<CommandLine>(&parsed);
  ASSERT_NE(line, nullptr) << std::get<std::string>(parsed);
  EXPECT_EQ(line->config_file, "c.json");
  const CommandLine::Options expected{{"--since", "2026-11-25"}, {"--key", "1"}, {"--project", "a=b"}, {"--until", ""}};
  EXPECT_EQ(line->options, expected);
}

TEST(Help, NamesEveryCommandAndSetting) {
  const std::string help = help_text();
  for (const char* command : {"serve", "check", "keys add FILE|-", "keys delete ID|unreadable", "backup FILE", "restore FILE", "health", "rekey", "config", "reconcile"}) EXPECT_THAT(help, HasSubstr(std::string("\n  ") + command));
  for (const SettingInfo& each : setting_table()) EXPECT_THAT(help, HasSubstr("\n  " + std::string(each.name) + " "));
  for (const char* option : {"--config", "--help", "--version", "--key", "--since", "--until", "--upstream-key-id", "--project", "--tolerance"}) EXPECT_THAT(help, HasSubstr(option));
}

}  // namespace
}  // namespace proxyxai
