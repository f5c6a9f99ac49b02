#include <algorithm>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "config/load.hpp"

namespace proxyxai {
namespace {

using testing::HasSubstr;

constexpr const char* a_file = "/dev/null";
const std::string vkey = "sk-XvsAbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefghi";

std::string joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& each : items) out += (out.empty() ? "" : "|") + each;
  return out;
}
std::string ms(milliseconds length) { return std::to_string(length.count()); }

std::string users(const Settings& s) {
  std::string out;
  for (const auto& each : s.init_users) out += each.name + "/" + each.email + "/" + std::string(each.key.reveal()) + ";";
  return out;
}
std::string keys(const Settings& s) {
  std::string out;
  for (const auto& each : s.init_keys) out += std::string(each.secret.reveal()) + "@" + each.provider + ";";
  return out;
}

struct SettingCase {
  std::string name;
  std::function<std::string(const Settings&)> shown;
  std::string initial;                                      // as shown
  std::vector<std::pair<std::string, std::string>> good;    // text and how it is shown
  std::vector<std::string> bad;
};

SettingCase length(const char* name, std::string initial, milliseconds Settings::* member) {
  return {name, [member](const Settings& s) { return ms(s.*member); }, std::move(initial),
          {{"250ms", "250"}, {"3s", "3000"}, {"4", "4000"}, {"2m", "120000"}, {"1h", "3600000"}},
          {"", "0", "0s", "-1s", "soon", "5 s", "5d", "1000000h"}};
}

SettingCase amount(const char* name, std::string initial, Money Settings::* member) {
  return {name, [member](const Settings& s) { return to_decimal(s.*member); }, std::move(initial),
          {{"0", "0"}, {"0.000000001", "0.000000001"}, {"12.50", "12.5"}}, {"", "x", "-1", "0.0000000001", "1e99", "1 $"}};
}

SettingCase size(const char* name, std::string initial, std::uint64_t Settings::* member, std::vector<std::string> bad) {
  bad.insert(bad.end(), {"", "x", "1.5M", "-1", "1T", "1 000 000", "99999999999999999999", "99999999G", "M"});
  return {name, [member](const Settings& s) { return std::to_string(s.*member); }, std::move(initial),
          {{"1048576", "1048576"}, {"2048K", "2097152"}, {"2MiB", "2097152"}, {"2 mb", "2097152"}, {"1G", "1073741824"}, {"2000000b", "2000000"}},
          std::move(bad)};
}

std::vector<SettingCase> cases() {
  using S = Settings;
  using C = const Settings&;
  const std::string key = "sk-0123456789abcdefg";  // 20 characters, the shortest
  return {
      {"PORT", [](C s) { return std::to_string(s.port); }, "3443", {{"0", "0"}, {"65535", "65535"}}, {"", "65536", "-1", "80a", " 80", "+80", "0x50", "8.0"}},
      {"LISTEN_ADDRESS", [](C s) { return joined(s.listen_addresses); }, "0.0.0.0|::",
       {{"127.0.0.1", "127.0.0.1"}, {"::1, 10.0.0.1,", "::1|10.0.0.1"}}, {"", ",", "localhost", "1.2.3", "[::1]", "1.2.3.4:80", "127.0.0.1,x"}},
      {"TLS_CERT", [](C s) { return s.tls_cert; }, "", {{a_file, a_file}, {"", ""}}, {"/nowhere/cert.pem"}},
      {"TLS_KEY", [](C s) { return s.tls_key; }, "", {{a_file, a_file}, {"", ""}}, {"/nowhere/key.pem"}},
      {"DATA_DIR", [](C s) { return s.data_dir; }, "data", {{"/var/lib/x y", "/var/lib/x y"}}, {""}},
      {"INIT_USERS", users, "",
       {{"root:a@b.c:" + vkey, "root/a@b.c/" + vkey + ";"},
        {"root::a@b.c::" + vkey, "root/a@b.c/" + vkey + ";"},
        {"root:a@b.c:", "root/a@b.c/;"},
        {"root:a@b.c, x_1-Y:d@e.f:" + vkey + ",", "root/a@b.c/;x_1-Y/d@e.f/" + vkey + ";"},
        {"", ""}},
       {"root", "root:", ":a@b.c:", "root:nomail:", "ro ot:a@b.c:", "root:a@b.c:short", "root:a@b.c:" + vkey + "x", "root:a@b.c:" + vkey + ":more",
        "r\xc3\xb6\xc3\xb6t:a@b.c:", std::string(64, 'n') + ":a@b.c:", "root:a@b.c:,:"}},
      {"INIT_KEYS", keys, "",
       {{key, key + "@;"}, {key + "::https://h:8443/v1", key + "@https://h:8443;"}, {key + " , " + key + "x::http://h", key + "@;" + key + "x@http://h;"}, {"", ""}},
       {"sk-0123456789abcdef", key + "::ftp://h", key + "::https://h?x", key + " " + key, key + "\n", key + ",short", key + "\xc3\xa9"}},
      {"MASTER_KEY", [](C s) { return std::string(s.master_key.reveal()); }, "", {{"0123456789abcdef", "0123456789abcdef"}, {"", ""}}, {"0123456789abcde", "x"}},
      {"OPENAI_API_BASE", [](C s) { return s.openai_api_base; }, "https://api.openai.com",
       {{"h", "https://h"}, {"h:8443", "https://h:8443"}, {"http://h/v1/", "http://h"}, {"https://h/openai/v1", "https://h/openai"}},
       {"", "ftp://h", "https://u:p@h", "https://h?q", "h:0", "h i"}},
      {"UPSTREAM_CA_FILE", [](C s) { return s.upstream_ca_file; }, "", {{a_file, a_file}, {"", ""}}, {"/nowhere/ca.pem"}},
      {"UPSTREAM_PROXY", [](C s) { return s.upstream_proxy; }, "",
       {{"http://h:3128", "http://h:3128"}, {"http://u:p@h:3128", "http://u:p@h:3128"}, {"http://u:p@ss@h:1", "http://u:p@ss@h:1"}, {"", ""}},
       {"h:3128", "https://h:3128", "socks5://h:1", "http://u@h:3128", "http://h:3128/path", "http://", "http://u:p@", "http://h:99999"}},
      length("KEYS_RELOAD_INTERVAL", "7200000", &S::keys_reload_interval),
      length("KEYS_MAX_WAIT", "5000", &S::keys_max_wait),
      length("PENDING_INTERVAL", "2000", &S::pending_interval),
      {"ROUTING", [](C s) { return std::string(s.routing == S::Routing::round_robin ? "round_robin" : "cache_aware"); }, "round_robin",
       {{"round_robin", "round_robin"}, {"cache_aware", "cache_aware"}}, {"", "random", "Round_Robin"}},
      {"RETRY_ATTEMPTS", [](C s) { return std::to_string(s.retry_attempts); }, "5", {{"1", "1"}, {"20", "20"}}, {"", "0", "21", "-1", "many", "1.5"}},
      length("RETRY_DEADLINE", "600000", &S::retry_deadline),
      length("CONNECT_TIMEOUT", "5000", &S::connect_timeout),
      length("FIRST_BYTE_TIMEOUT", "600000", &S::first_byte_timeout),
      length("IDLE_TIMEOUT", "300000", &S::idle_timeout),
      size("MAX_HEADER_BYTES", "65536", &S::max_header_bytes, {"1023", "0"}),
      size("MAX_BODY_BYTES", "536870912", &S::max_body_bytes, {"1023", "0"}),
      size("BODY_MEMORY_BYTES", "268435456", &S::body_memory_bytes, {"1048575", "1023K"}),
      {"MAX_CONNECTIONS", [](C s) { return std::to_string(s.max_connections); }, "20000", {{"1", "1"}, {"1000000", "1000000"}}, {"", "0", "1000001", "all"}},
      length("HEADER_TIMEOUT", "10000", &S::header_timeout),
      length("BODY_IDLE_TIMEOUT", "60000", &S::body_idle_timeout),
      length("KEEPALIVE_TIMEOUT", "75000", &S::keepalive_timeout),
      length("DRAIN_TIMEOUT", "30000", &S::drain_timeout),
      {"TRUSTED_PROXIES", [](C s) { return joined(s.trusted_proxies); }, "loopback",
       {{"10.0.0.0/8, ::1", "10.0.0.0/8|::1"}, {"loopback,192.0.2.1", "loopback|192.0.2.1"}, {"", ""}}, {"localhost", "10.0.0.0/33", "10.0.0.0/8,x", "*"}},
      {"CORS_ORIGINS", [](C s) { return joined(s.cors_origins); }, "*",
       {{"https://a.example, http://b.example:8080", "https://a.example|http://b.example:8080"}, {"*", "*"}, {"null", "null"}},
       {"a.example", "https://a.example/", "https://a.example:443", "https://a.example,b", "ftp://a.example", "https://*.example"}},
      amount("USER_MIN_BALANCE", "2", &S::user_min_balance),
      amount("USER_API_MIN_BALANCE", "20", &S::user_api_min_balance),
      amount("CALL_MIN_BALANCE", "1", &S::call_min_balance),
      amount("HOLD_CAP", "10", &S::hold_cap),
      amount("HOLD_STEP", "0.02", &S::hold_step),
      amount("FEE_TRANSACTION", "0.2", &S::fee_transaction),
      amount("FEE_LISTING", "0.002", &S::fee_listing),
      {"STATS_INTERVAL", [](C s) { return std::to_string(s.stats_interval); }, "100", {{"1", "1"}, {"1000000", "1000000"}}, {"", "0", "-1", "often"}},
      {"RETENTION_DAYS", [](C s) { return std::to_string(s.retention_days); }, "90", {{"1", "1"}, {"36500", "36500"}}, {"", "0", "-1", "1.5"}},
      {"PRICES_FILE", [](C s) { return s.prices_file; }, "", {{"/dev/null", "/dev/null"}, {"", ""}}, {"/nowhere/prices.json"}},
      {"UNKNOWN_MODELS", [](C s) { return std::string(s.refuses_unknown_models ? "refuse" : "fallback"); }, "fallback",
       {{"refuse", "refuse"}, {"fallback", "fallback"}}, {"", "allow"}},
      {"MODEL_MAPPER", [](C s) { return s.model_mapper; }, "", {{"gpt-3.5*=gpt-4o-mini, a=b", "gpt-3.5*=gpt-4o-mini, a=b"}, {"", ""}},
       {"gpt-4", "=a", "a=", "a=b*", "a=b=c", "a b=c", "a=b,a=c", "a=\xc3\xa9"}},
      {"DURABILITY", [](C s) { return std::string(s.durability == S::Durability::full ? "full" : "normal"); }, "full",
       {{"full", "full"}, {"normal", "normal"}}, {"", "Full", "off"}},
      {"ADMIN_LISTEN", [](C s) { return s.admin_listen_host + "|" + std::to_string(s.admin_listen_port); }, "127.0.0.1|3444",
       {{"0.0.0.0:0", "0.0.0.0|0"}, {"[::1]:80", "::1|80"}, {":::80", "::|80"}}, {"", "3444", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "localhost:80", ":80"}},
      {"EMAIL_SMTP", [](C s) { return s.email_smtp; }, "",
       {{"smtp.example.com", "smtp.example.com"}, {"127.0.0.1", "127.0.0.1"}, {"[::1]", "::1"}, {"::1", "::1"}, {"", ""}},
       {"smtp.example.com:25", "smtp://h", "h h", "u@h", "h/path", "-h", "h\r\nx"}},
      {"EMAIL_PORT", [](C s) { return std::to_string(s.email_port); }, "587", {{"1", "1"}, {"65535", "65535"}}, {"", "0", "65536", "smtp"}},
      {"EMAIL_AUTH", [](C s) { return s.email_auth; }, "", {{"user@example.com", "user@example.com"}, {"", ""}}, {"a\r\nb", "a\tb"}},
      {"EMAIL_PASS", [](C s) { return std::string(s.email_pass.reveal()); }, "", {{"p ss w\xc3\xb6rd", "p ss w\xc3\xb6rd"}, {"", ""}}, {"a\nb"}},
      {"EMAIL_SENDER", [](C s) { return s.email_sender; }, "",
       {{"a@b.c", "a@b.c"}, {"x.y+z@localhost", "x.y+z@localhost"}, {"\xe4\xb8\xad My Name <a@b.c>", "\xe4\xb8\xad My Name <a@b.c>"}, {"", ""}},
       {"a", "@b", "a@", "Name a@b", "Name <a>", "Name <a@b", "Name <a@b> x", "a@b,c@d", "Na\r\nme <a@b>", "a@b@c", "a b@c"}},
      {"EMAIL_TLS", [](C s) { return s.email_tls ? std::to_string(static_cast<int>(*s.email_tls)) : ""; }, "",
       {{"starttls", "0"}, {"tls", "1"}, {"none", "2"}, {"", ""}}, {"TLS", "ssl", "false"}},
      {"XAI_SERVICE", [](C s) { return s.xai_service; }, "", {{"My Service \xe4\xb8\xad", "My Service \xe4\xb8\xad"}, {"", ""}}, {"a\nb", "a\x7f"}},
      {"LOG_LEVEL", [](C s) { return s.log_level; }, "info",
       {{"trace", "trace"}, {"debug", "debug"}, {"info", "info"}, {"warn", "warn"}, {"error", "error"}}, {"", "INFO", "warning", "off"}},
      {"LOG_FORMAT", [](C s) { return std::string(s.log_format == S::LogFormat::text ? "text" : "json"); }, "text",
       {{"text", "text"}, {"json", "json"}}, {"", "JSON", "xml"}},
  };
}

class Setting : public testing::TestWithParam<SettingCase> {
 protected:
  static std::string lower_name() {
    std::string name = GetParam().name;
    std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c | 0x20 : c); });
    return name;
  }
  /// Loaded from a file that sets nothing else but what a setting needs beside it.
  static LoadResult from_file(const std::string& text) {
    nlohmann::json content{{lower_name(), text}};
    if (!text.empty() && GetParam().name == "TLS_CERT") content["tls_key"] = a_file;
    if (!text.empty() && GetParam().name == "TLS_KEY") content["tls_cert"] = a_file;
    if (GetParam().name == "EMAIL_SMTP") content["email_sender"] = "a@b.c";
    return load(content.dump(-1, ' ', false, nlohmann::json::error_handler_t::strict));
  }
};

TEST_P(Setting, HasItsDefault) {
  const LoadResult loaded = load("{}");
  EXPECT_TRUE(loaded.faults.empty()) << lines(loaded.faults);
  EXPECT_EQ(GetParam().shown(loaded.settings), GetParam().initial);
  EXPECT_EQ(loaded.values.at(GetParam().name).source, "default");
}

TEST_P(Setting, TakesGoodValues) {
  for (const auto& [text, shown] : GetParam().good) {
    const LoadResult loaded = from_file(text);
    EXPECT_TRUE(loaded.faults.empty()) << text << ": " << lines(loaded.faults);
    EXPECT_EQ(GetParam().shown(loaded.settings), shown) << text;
  }
}

TEST_P(Setting, RefusesBadValuesByNameAndWhatIsAllowed) {
  for (const std::string& text : GetParam().bad) {
    const LoadResult loaded = from_file(text);
    ASSERT_FALSE(loaded.faults.empty()) << "'" << text << "' is taken";
    const auto table = setting_table();
    const auto info = std::find_if(table.begin(), table.end(), [](const SettingInfo& each) { return each.name == GetParam().name; });
    ASSERT_NE(info, table.end());
    EXPECT_TRUE(loaded.faults[0].starts_with(GetParam().name + " = ")) << loaded.faults[0];
    EXPECT_THAT(loaded.faults[0], HasSubstr("test.json"));
    EXPECT_THAT(loaded.faults[0], HasSubstr("; allowed: " + std::string(info->allowed)));
    if (!info->is_secret) EXPECT_THAT(loaded.faults[0], HasSubstr("'" + text + "'"));
    EXPECT_EQ(GetParam().shown(loaded.settings), GetParam().initial) << "a refused value is in force";
  }
}

TEST_P(Setting, IsReadFromTheEnvironmentAlike) {
  for (const auto& [text, shown] : GetParam().good) {
    if (text.empty()) continue;
    Variables variables{{GetParam().name, text}};
    if (GetParam().name == "TLS_CERT") variables["TLS_KEY"] = a_file;
    if (GetParam().name == "TLS_KEY") variables["TLS_CERT"] = a_file;
    if (GetParam().name == "EMAIL_SMTP") variables["EMAIL_SENDER"] = "a@b.c";
    const LoadResult loaded = load("{}", variables);
    EXPECT_TRUE(loaded.faults.empty()) << text << ": " << lines(loaded.faults);
    EXPECT_EQ(GetParam().shown(loaded.settings), shown) << text;
    EXPECT_EQ(loaded.values.at(GetParam().name).source, "environment");
  }
}

INSTANTIATE_TEST_SUITE_P(Table, Setting, testing::ValuesIn(cases()), [](const auto& about) { return about.param.name; });

TEST(Settings, AreAllTested) {
  std::set<std::string> known, tested;
  for (const SettingInfo& each : setting_table()) known.insert(std::string(each.name));
  for (const SettingCase& each : cases()) tested.insert(each.name);
  EXPECT_EQ(tested, known);
}

TEST(Settings, SayWhatIsAllowedAndWhatTheyAreFor) {
  for (const SettingInfo& each : setting_table()) {
    EXPECT_FALSE(each.allowed.empty()) << each.name;
    EXPECT_FALSE(each.description.empty()) << each.name;
    EXPECT_FALSE(each.is_secret && !each.initial.empty()) << each.name;
  }
}

}  // namespace
}  // namespace proxyxai
