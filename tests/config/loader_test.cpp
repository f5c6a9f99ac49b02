#include <gmock/gmock.h>

#include "config/load.hpp"

namespace proxyxai {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(Loader, FindsEveryFaultAtOnce) {
  const LoadResult loaded = load(R"({"port": 70000, "log_level": "loud", "nonsense_of_mine": 1, "retry_attempts": null})",
                                 {{"DURABILITY", "never"}, {"TLS_KEY", "/dev/null"}});
  EXPECT_EQ(loaded.faults.size(), 6u) << lines(loaded.faults);
  for (const char* name : {"PORT = '70000'", "LOG_LEVEL = 'loud'", "'nonsense_of_mine'", "RETRY_ATTEMPTS = 'null'", "DURABILITY = 'never' (environment)",
                           "TLS_KEY is set without TLS_CERT"}) {
    EXPECT_THAT(lines(loaded.faults), HasSubstr(name));
  }
}

TEST(Loader, EnvironmentBeatsFileBeatsDefault) {
  const LoadResult loaded = load(R"({"port": 1001, "retry_attempts": 7})", {{"PORT", "1002"}});
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.settings.port, 1002);
  EXPECT_EQ(loaded.values.at("PORT").source, "environment");
  EXPECT_EQ(loaded.settings.retry_attempts, 7u);
  EXPECT_THAT(loaded.values.at("RETRY_ATTEMPTS").source, HasSubstr("test.json"));
  EXPECT_EQ(loaded.settings.max_connections, 20'000u);
  EXPECT_EQ(loaded.values.at("MAX_CONNECTIONS").source, "default");
}

TEST(Loader, MisspeltVariablesAreNoticed) {
  const std::vector<std::string> names{"LISTEN_ADRESS", "CALL_MIN_BALANCE", "PATH", "LANGUAGE", "MASTER_KEYS"};
  EXPECT_THAT(misspelt_settings(names),
              ElementsAre("the environment variable 'LISTEN_ADRESS' is no setting; did you mean 'LISTEN_ADDRESS'?",
                          "the environment variable 'MASTER_KEYS' is no setting; did you mean 'MASTER_KEY'?"));
}

TEST(Loader, EmptyVariablesCountAsNotSet) {
  Variables variables;
  for (const SettingInfo& each : setting_table()) variables[std::string(each.name)] = "";
  const LoadResult loaded = load(R"({"port": 1001, "trusted_proxies": "10.0.0.0/8"})", variables);
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.settings.port, 1001);
  // Here empty means something: trust none.
  EXPECT_THAT(loaded.settings.trusted_proxies, IsEmpty());
}

TEST(Loader, TakesNumbersBooleansAndListsOfTheFile) {
  const LoadResult loaded = load(R"({"port": 12, "trusted_proxies": ["10.0.0.0/8", "::1"], "cors_origins": [], "connect_timeout": 2.5})");
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.settings.port, 12);
  EXPECT_THAT(loaded.settings.trusted_proxies, ElementsAre("10.0.0.0/8", "::1"));
  EXPECT_THAT(loaded.settings.cors_origins, IsEmpty());
  EXPECT_EQ(loaded.settings.connect_timeout, milliseconds{2500});
}

TEST(Loader, RefusesWhatIsNoText) {
  const LoadResult loaded = load(R"({"port": {"a": 1}, "cors_origins": ["*", 5], "data_dir": [["x"]], "log_level": true})");
  EXPECT_EQ(loaded.faults.size(), 4u) << lines(loaded.faults);
}

TEST(Loader, AllowsComments) {
  const LoadResult loaded = load("{ // the port\n \"port\": 12 /* twelve */ }");
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.settings.port, 12);
}

TEST(Loader, RefusesFilesThatAreNoJsonObject) {
  for (const char* content : {"", "[]", "null", "{\"port\": 12", "{\"port\": 12,}", "port = 12", "\"port\"", "\xff"}) {
    const LoadResult loaded = load(content);
    ASSERT_EQ(loaded.faults.size(), 1u) << content;
    EXPECT_THAT(loaded.faults[0], HasSubstr("test.json"));
  }
}

TEST(Loader, RefusesAFileThatIsNotThere) {
  const LoadResult loaded = load_settings("/nowhere/proxyxai.json", [](const std::string&) { return std::nullopt; });
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_THAT(loaded.faults[0], HasSubstr("/nowhere/proxyxai.json"));
}

TEST(Loader, SuggestsTheSettingThatWasMeant) {
  const LoadResult loaded = load(R"({"retry_atempts": 3, "PORT": 5, "something_else_entirely": 1})");
  ASSERT_EQ(loaded.faults.size(), 3u) << lines(loaded.faults);
  EXPECT_THAT(lines(loaded.faults), HasSubstr("'retry_atempts'"));
  EXPECT_THAT(lines(loaded.faults), HasSubstr("did you mean 'retry_attempts'?"));
  for (const std::string& each : loaded.faults) {
    if (each.find("something_else") != each.npos) EXPECT_THAT(each, Not(HasSubstr("did you mean")));
  }
  EXPECT_EQ(loaded.settings.port, 3443) << "names are in lower case";
}

TEST(Loader, WarnsOfSettingsOfOtherVersionsOnly) {
  const LoadResult loaded = load(R"({"fee_listing": 0.1, "tz": "UTC"})");
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_EQ(loaded.warnings.size(), 1u);
  EXPECT_THAT(lines(loaded.warnings), HasSubstr("'tz'"));
}

TEST(Loader, WantsBothOrNeitherOfTheTlsFiles) {
  EXPECT_EQ(load(R"({"tls_cert": "/dev/null"})").faults.size(), 1u);
  EXPECT_EQ(load(R"({"tls_key": "/dev/null"})").faults.size(), 1u);
  EXPECT_THAT(load(R"({"tls_cert": "/dev/null"})", {{"TLS_KEY", "/dev/null"}}).faults, IsEmpty());
}

TEST(Loader, WantsASenderAndBothOrNeitherOfNameAndPasswordForMail) {
  EXPECT_THAT(load(R"({"email_smtp": "h", "email_sender": "a@b.c"})").faults, IsEmpty());
  EXPECT_THAT(load(R"({"email_sender": "a@b.c", "email_pass": "p"})").faults, IsEmpty()) << "without EMAIL_SMTP mail is off";
  EXPECT_THAT(load(R"({"email_smtp": "h"})").faults, ElementsAre(testing::AllOf(HasSubstr("EMAIL_SMTP"), HasSubstr("EMAIL_SENDER"))));
  for (const char* one : {"EMAIL_AUTH", "EMAIL_PASS"}) {
    const LoadResult loaded = load(R"({"email_smtp": "h", "email_sender": "a@b.c"})", {{one, "x"}});
    EXPECT_THAT(loaded.faults, ElementsAre(testing::AllOf(HasSubstr("EMAIL_AUTH"), HasSubstr("EMAIL_PASS")))) << one;
  }
}

/// A secret in all its places; none of what is shown may hold `canary`.
struct SecretCase {
  const char* name;
  std::string text;
};

class SecretSetting : public testing::TestWithParam<SecretCase> {
 protected:
  static void expect_hidden(const LoadResult& loaded) {
    EXPECT_THAT(lines(loaded.faults), Not(HasSubstr("Canary")));
    EXPECT_THAT(lines(loaded.warnings), Not(HasSubstr("Canary")));
    EXPECT_THAT(describe(loaded), Not(HasSubstr("Canary")));
    for (const auto& [name, value] : loaded.values) EXPECT_THAT(value.text, Not(HasSubstr("Canary"))) << name;
  }
};

class GoodSecret : public SecretSetting {};

TEST_P(GoodSecret, IsNotShown) {
  const LoadResult loaded = load("{}", {{GetParam().name, GetParam().text}});
  EXPECT_THAT(loaded.faults, IsEmpty());
  expect_hidden(loaded);
  EXPECT_THAT(describe(loaded), HasSubstr("***"));
}

INSTANTIATE_TEST_SUITE_P(Good, GoodSecret,
                         testing::Values(SecretCase{"INIT_KEYS", "sk-Canary0123456789abcdef"},
                                         SecretCase{"INIT_USERS", "root:a@b.c:sk-XvsCanary" + std::string("0123456789abcdefghijklmnopqrstuvwxyzABC")},
                                         SecretCase{"MASTER_KEY", "Canary0123456789"},
                                         SecretCase{"EMAIL_PASS", "Canary"},
                                         SecretCase{"UPSTREAM_PROXY", "http://user:Canary@h:3128"}));

class RefusedSecret : public SecretSetting {};

TEST_P(RefusedSecret, IsNotShown) {
  for (const bool in_file : {false, true}) {
    std::string name = GetParam().name;
    for (char& c : name) c = static_cast<char>(c == '_' ? c : c | 0x20);
    const LoadResult loaded = in_file ? load("{\"" + name + "\": \"" + GetParam().text + "\"}") : load("{}", {{GetParam().name, GetParam().text}});
    ASSERT_EQ(loaded.faults.size(), 1u) << "taken: " << GetParam().text;
    EXPECT_THAT(loaded.faults[0], HasSubstr(GetParam().name));
    expect_hidden(loaded);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Bad, RefusedSecret,
    testing::Values(SecretCase{"INIT_KEYS", "sk-Canary"}, SecretCase{"INIT_KEYS", "sk-Canary0123456789abcdef::ftp://Canary"},
                    SecretCase{"INIT_KEYS", "sk-Canary0123456789abcdef with spaces"}, SecretCase{"INIT_USERS", "root:a@b.c:sk-XvsCanary"},
                    // A key alone, or in the place of the name, is what people try first.
                    SecretCase{"INIT_USERS", "sk-XvsCanary0123456789abcdefghijklmnopqrstuvwxyzABC"},
                    SecretCase{"INIT_USERS", "sk-XvsCanary0123456789abcdefghijklmnopqrstuvwxyzABC:root"},
                    SecretCase{"INIT_USERS", "root:sk-XvsCanary0123456789abcdefghijklmnopqrstuvwxyzABC"},
                    SecretCase{"INIT_USERS", "root:a@b.c:x:sk-XvsCanary"}, SecretCase{"MASTER_KEY", "Canary"},
                    SecretCase{"UPSTREAM_PROXY", "http://Canary@h:3128"}, SecretCase{"UPSTREAM_PROXY", "https://user:Canary@h:3128"}));

TEST(RefusedSecrets, AreNotShownWhenTheyAreNoText) {
  const LoadResult loaded = load(R"({"master_key": {"value": "Canary0123456789"}, "init_keys": ["sk-Canary0123456789abcdef", 5]})");
  EXPECT_EQ(loaded.faults.size(), 2u);
  EXPECT_THAT(lines(loaded.faults), Not(HasSubstr("Canary")));
}

TEST(Describe, ShowsEverySettingWithValueAndSource) {
  const LoadResult loaded = load(R"({"port": 12})", {{"LOG_LEVEL", "warn"}});
  const std::string text = describe(loaded);
  for (const SettingInfo& each : setting_table()) EXPECT_THAT("\n" + text, HasSubstr("\n" + std::string(each.name) + " "));
  EXPECT_THAT(text, testing::ContainsRegex("PORT +12 +.*test.json\n"));
  EXPECT_THAT(text, testing::ContainsRegex("LOG_LEVEL +warn +environment\n"));
  EXPECT_THAT(text, testing::ContainsRegex("DATA_DIR +data +default\n"));
  EXPECT_THAT(text, testing::ContainsRegex("MASTER_KEY +- +default\n"));
}

TEST(ProjectFile, LoadsWithoutFaultsOrWarnings) {
  const LoadResult loaded = load_settings(PROJECT_SOURCE_DIR "/config/proxyxai.json", [](const std::string&) { return std::nullopt; });
  EXPECT_THAT(loaded.faults, IsEmpty());
  EXPECT_THAT(loaded.warnings, IsEmpty());
  EXPECT_EQ(loaded.settings.port, 3443);
}

}  // namespace
}  // namespace proxyxai
