#include "proxyxai/config/loader.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "nearest.hpp"
#include "proxyxai/base/ascii.hpp"
#include "table.hpp"
#include "value.hpp"

namespace proxyxai {
namespace {

constexpr const char* standard_file = "config/proxyxai.json";

/// Names that later versions of the reference's compose file set and this version has no use for.
constexpr std::string_view unused_names[] = {"tz"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_lower);
  return out;
}

bool is_unused(const std::string& name) {
  return std::find(std::begin(unused_names), std::end(unused_names), name) != std::end(unused_names);
}

/// A value of the file as the environment would write it; nullopt for objects, null and nested lists.
std::optional<std::string> text_of(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean() || value.is_number()) return value.dump();
  if (!value.is_array()) return std::nullopt;
  std::string joined;
  for (const auto& each : value) {
    if (!each.is_string()) return std::nullopt;
    joined += (joined.empty() ? "" : ",") + each.get<std::string>();
  }
  return joined;
}

class Loader {
 public:
  explicit Loader(LoadResult& result) : result_(result) {}

  void read_file(const std::string& name) {
    const std::ifstream stream(name);
    if (!stream) {
      result_.faults.push_back("cannot read the configuration file '" + name + "'");
      return;
    }
    std::stringstream content;
    content << stream.rdbuf();
    const auto root = nlohmann::json::parse(content.str(), nullptr, false, true);
    if (!root.is_object()) {
      result_.faults.push_back("the configuration file '" + name + "' is no JSON object");
      return;
    }
    for (const auto& [key, value] : root.items()) {
      const SettingRow* const row = find(key);
      if (row != nullptr) {
        const auto text = text_of(value);
        if (text) set(*row, *text, name);
        else fault(*row, value.dump(), name, "it must be a string, a number, a boolean or a list of strings");
      } else if (is_unused(key)) {
        result_.warnings.push_back("'" + key + "' in " + name + " is not used by this version");
      } else {
        std::vector<std::string> names;
        for (const SettingRow& each : setting_rows()) names.push_back(lower(each.name));
        result_.faults.push_back("'" + key + "' in " + name + " is no setting" + did_you_mean(key, names));
      }
    }
  }

  void set(const SettingRow& row, const std::string& text, const std::string& source) {
    try {
      row.read(result_.settings, text);
      result_.values[std::string(row.name)] = {row.is_secret && !text.empty() ? "***" : text, source};
    } catch (const value::BadValue& bad) {
      fault(row, text, source, bad.detail);
    }
  }

 private:
  static const SettingRow* find(const std::string& key) {
    for (const SettingRow& each : setting_rows()) {
      if (lower(each.name) == key) return &each;
    }
    return nullptr;
  }

  void fault(const SettingRow& row, const std::string& text, const std::string& source, const std::string& detail) {
    std::string message = std::string(row.name) + " = " + (row.is_secret ? "***" : "'" + text + "'") + " (" + source + ")";
    if (!detail.empty()) message += ": " + detail;
    result_.faults.push_back(message + "; allowed: " + std::string(row.allowed));
  }

  LoadResult& result_;
};

void check_mail(const Settings& settings, LoadResult& result) {
  if (settings.email_smtp.empty()) return;
  if (settings.email_sender.empty()) {
    result.faults.emplace_back("EMAIL_SMTP is set without EMAIL_SENDER; give both, or neither to send no mail");
  }
  if (settings.email_auth.empty() != settings.email_pass.empty()) {
    result.faults.push_back(std::string(settings.email_auth.empty() ? "EMAIL_PASS is set without EMAIL_AUTH" : "EMAIL_AUTH is set without EMAIL_PASS") +
                            "; give both, or neither for a mail server that asks for no password");
  }
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
    const char* const value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
}

LoadResult load_settings(const std::string& file, const Environment& environment) {
  LoadResult result;
  Loader loader(result);
  for (const SettingRow& row : setting_rows()) loader.set(row, std::string(row.initial), "default");
  if (!file.empty()) loader.read_file(file);
  else if (std::filesystem::exists(standard_file)) loader.read_file(standard_file);
  for (const SettingRow& row : setting_rows()) {
    const auto value = environment(std::string(row.name));
    // An empty variable is what compose files make of one that is not set; only where empty means something it counts.
    if (value && (!value->empty() || row.name == "TRUSTED_PROXIES")) loader.set(row, *value, "environment");
  }
  const Settings& settings = result.settings;
  if (settings.tls_cert.empty() != settings.tls_key.empty()) {
    result.faults.push_back(std::string(settings.tls_cert.empty() ? "TLS_KEY is set without TLS_CERT" : "TLS_CERT is set without TLS_KEY") +
                            "; give both, or neither for plain HTTP");
  }
  check_mail(settings, result);
  return result;
}

std::vector<std::string> misspelt_settings(const std::vector<std::string>& names) {
  // Short names are near to too many others, and few letters make a slip of the keyboard.
  constexpr std::size_t shortest = 8, longest_slip = 2;
  std::vector<std::string> known, found;
  for (const SettingRow& each : setting_rows()) known.emplace_back(each.name);
  for (const std::string& name : names) {
    if (name.size() < shortest || std::find(known.begin(), known.end(), name) != known.end()) continue;
    if (const std::string meant = did_you_mean(name, known, longest_slip); !meant.empty()) {
      found.push_back("the environment variable '" + name + "' is no setting" + meant);
    }
  }
  return found;
}

std::string describe(const LoadResult& loaded) {
  std::size_t name_width = 0, value_width = 0;
  for (const auto& [name, value] : loaded.values) {
    name_width = std::max(name_width, name.size());
    value_width = std::max(value_width, std::min<std::size_t>(value.text.size(), 40));
  }
  std::string out;
  for (const SettingRow& row : setting_rows()) {
    const auto& value = loaded.values.at(std::string(row.name));
    const std::string text = value.text.empty() ? "-" : value.text;
    out.append(row.name).append(name_width - row.name.size() + 2, ' ').append(text);
    out.append(text.size() < value_width ? value_width - text.size() + 2 : 2, ' ').append(value.source).append("\n");
  }
  return out;
}

}  // namespace proxyxai
