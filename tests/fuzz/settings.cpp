// Settings: a text that begins with `{` is a configuration file, anything else is lines NAME=VALUE of the environment. Loading finds
// faults and throws nothing; no fault and no listing shows a secret; what is taken is within its bounds, and given again it is the same.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "check.hpp"
#include "proxyxai/base/cidr.hpp"
#include "proxyxai/config/loader.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;

namespace {

using Variables = std::map<std::string, std::string>;

LoadResult load(const std::string& file, const Variables& variables) {
  return load_settings(file, [&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

/// A file of this content, in memory.
class File {
 public:
  explicit File(std::string_view content) : file_(::memfd_create("settings", MFD_CLOEXEC)) {
    require(file_ >= 0 && ::write(file_, content.data(), content.size()) == static_cast<ssize_t>(content.size()), "there is memory for the file");
  }
  ~File() { ::close(file_); }
  File(const File&) = delete;
  [[nodiscard]] std::string name() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  const int file_;
};

void check_length(milliseconds length) { require(length.count() > 0 && length.count() <= 100 * 366 * std::int64_t{86'400'000}, "a length of time is within bounds"); }
void check_amount(Money amount) { require(amount >= Money{} && amount <= most_money, "an amount is within bounds"); }
void check_line(const std::string& text) {
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a line has no control character");
}

void check_settings(const Settings& settings) {
  for (const auto each : {settings.keys_reload_interval, settings.pending_interval, settings.keys_max_wait, settings.retry_deadline,
                          settings.connect_timeout, settings.first_byte_timeout, settings.idle_timeout, settings.header_timeout,
                          settings.body_idle_timeout, settings.keepalive_timeout, settings.drain_timeout}) {
    check_length(each);
  }
  for (const auto each : {settings.user_min_balance, settings.user_api_min_balance, settings.call_min_balance, settings.hold_cap,
                          settings.hold_step, settings.fee_transaction, settings.fee_listing}) {
    check_amount(each);
  }
  require(settings.retry_attempts >= 1 && settings.retry_attempts <= 20, "attempts are within bounds");
  require(settings.max_header_bytes >= 1'024 && settings.max_body_bytes >= 1'024 && settings.max_body_bytes <= std::uint64_t{1} << 50, "sizes are within bounds");
  require(settings.max_connections >= 1 && settings.max_connections <= 1'000'000, "connections are within bounds");
  require(settings.tls_cert.empty() == settings.tls_key.empty(), "certificate and key come together");
  require(settings.openai_api_base.starts_with("http"), "the upstream is a URL");
  check_line(settings.openai_api_base);
  check_line(settings.email_sender);
  check_line(settings.email_smtp);
  check_line(settings.email_auth);
  check_line(settings.xai_service);
  for (const std::string& each : settings.listen_addresses) check_line(each);
  for (const std::string& each : settings.trusted_proxies) check_line(each);
  for (const std::string& each : settings.cors_origins) check_line(each);
  require(CidrList::parse(settings.trusted_proxies).has_value(), "trusted proxies are ranges");
  for (const auto& each : settings.init_keys) require(each.secret.reveal().size() >= 20, "an upstream key has its least length");
  for (const auto& each : settings.init_users) require(each.key.empty() || each.key.reveal().size() == 51, "a virtual key has its length");
}

/// Whatever is wrong with a secret, its text is not told.
void check_secrets(const std::string& file) {
  static constexpr std::string_view canary = "CanaryOfASecret";
  static const Variables variables = [] {
    Variables all;
    for (const SettingInfo& each : setting_table()) {
      if (each.is_secret) all[std::string(each.name)] = std::string(canary) + "\x01 @:," + std::string(canary);
    }
    return all;
  }();
  // A file may have it as a name, which is no secret.
  const LoadResult plain = load(file, {});
  const auto tells = [](const std::string& each) { return each.find(canary) != each.npos; };
  if (std::any_of(plain.faults.begin(), plain.faults.end(), tells)) return;
  const LoadResult loaded = load(file, variables);
  for (const std::string& each : loaded.faults) require(each.find(canary) == each.npos, "no fault shows a secret");
  require(describe(loaded).find(canary) == std::string::npos, "no listing shows a secret");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = text_of(data, size);
  const bool is_file = text.starts_with('{');
  const File file(is_file ? text : "{}");
  Variables variables;
  std::vector<std::string> names;
  while (!is_file && !text.empty()) {
    const std::string line(take_line(text));
    const auto equals = line.find('=');
    names.push_back(line.substr(0, equals));
    if (equals != line.npos) variables[names.back()] = line.substr(equals + 1);
  }
  const LoadResult loaded = load(file.name(), variables);
  for (const std::string& each : loaded.faults) require(!each.empty(), "a fault is told in words");
  for (const std::string& each : misspelt_settings(names)) require(each.find("did you mean") != each.npos, "a misspelt setting is told with what was meant");
  describe(loaded);
  if (is_file) check_secrets(file.name());
  if (!loaded.faults.empty()) return 0;
  check_settings(loaded.settings);

  // As the listing has it, secrets aside.
  Variables again;
  for (const auto& [name, value] : loaded.values) {
    if (value.text != "***") again[name] = value.text;
  }
  const File empty("{}");
  const LoadResult reloaded = load(empty.name(), again);
  for (const auto& [name, value] : again) {
    // An empty variable is one that is not set.
    if (!value.empty()) same(reloaded.values.at(name).text, value, name.c_str());
  }
  same(reloaded.settings.openai_api_base, loaded.settings.openai_api_base, "OPENAI_API_BASE");
  same(reloaded.settings.max_body_bytes, loaded.settings.max_body_bytes, "MAX_BODY_BYTES");
  same(reloaded.settings.hold_cap.nanos, loaded.settings.hold_cap.nanos, "HOLD_CAP");
  same(reloaded.settings.retry_deadline.count(), loaded.settings.retry_deadline.count(), "RETRY_DEADLINE");
  return 0;
}
