#include "proxyxai/admin/key_input.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "proxyxai/base/origin_address.hpp"

namespace proxyxai {
namespace {

using nlohmann::json;

constexpr std::size_t min_secret = 20;
constexpr std::size_t max_secret = 512;
constexpr std::size_t max_name = 200;
constexpr std::size_t max_keys = 100'000;
constexpr int max_weight = 1000;
constexpr int max_level = 1000;
constexpr int max_quota = 1'000'000'000;

/// A fault in the input: thrown by the readers below, caught where a reader was called.
struct Fault400 {
  std::string param, message;
};

ApiError to_error(const Fault400& fault) { return {400, "invalid_value", fault.message, fault.param, true}; }

Secret read_secret(std::string text, const std::string& param) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!printable) throw Fault400{param, param + " must be printable ASCII without spaces or control characters."};
  if (text.size() < min_secret || text.size() > max_secret) {
    throw Fault400{param, param + " has " + std::to_string(text.size()) + " characters; an upstream key has " +
                              std::to_string(min_secret) + " to " + std::to_string(max_secret) + "."};
  }
  return Secret(std::move(text));
}

std::string read_provider(const std::string& text, const std::string& param) {
  if (text.empty()) return {};
  const bool has_scheme = text.starts_with("http://") || text.starts_with("https://");
  const auto address = has_scheme ? parse_origin(text) : std::nullopt;
  if (!address) throw Fault400{param, param + " must be an http:// or https:// URL, such as https://api.openai.com."};
  return to_url(*address);
}

std::string string_of(const json& value, const std::string& param) {
  if (!value.is_string()) throw Fault400{param, param + " must be a string."};
  return value.get<std::string>();
}

/// As messages quote a value; of a text only that it is one, for it may be a secret in the wrong place.
std::string shown(const json& value) {
  return value.is_number() || value.is_boolean() ? value.dump() : std::string("of type ") + value.type_name();
}

bool bool_of(const json& value, const std::string& param) {
  if (!value.is_boolean()) throw Fault400{param, param + " is " + shown(value) + "; it must be true or false."};
  return value.get<bool>();
}

int int_of(const json& value, const std::string& param, int lowest, int highest) {
  const bool whole = value.is_number_integer() && value >= lowest && value <= highest;
  if (!whole) {
    throw Fault400{param, param + " is " + shown(value) + "; it must be a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest) + "."};
  }
  return value.get<int>();
}

std::string name_of(const json& value, const std::string& param) {
  std::string name = string_of(value, param);
  const bool has_control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (has_control || name.size() > max_name) {
    throw Fault400{param, param + " must have at most " + std::to_string(max_name) + " bytes and no control characters."};
  }
  return name;
}

/// `sk-...` or `sk-...::https://host`, as INIT_KEYS takes it; `key` has what is not said.
NewKey read_line(std::string_view line, const std::string& param, NewKey key = {}) {
  const auto separator = line.find("::");
  key.secret = read_secret(std::string(line.substr(0, separator)), param);
  if (separator != line.npos) key.provider = read_provider(std::string(line.substr(separator + 2)), param);
  return key;
}

/// One key as a JSON string or object; `prefix` is its place in a list, `key` has what is not said.
NewKey read_key(const json& value, const std::string& prefix, bool& verify, NewKey key = {}) {
  if (value.is_string()) return read_line(value.get_ref<const std::string&>(), prefix.empty() ? "SecretKey" : prefix, std::move(key));
  if (!value.is_object()) throw Fault400{prefix, "Each key must be a string or an object with SecretKey."};
  const std::string dot = prefix.empty() ? "" : prefix + ".";
  for (const auto& [name, member] : value.items()) {
    const std::string param = dot + name;
    if (name == "SecretKey") key.secret = read_secret(string_of(member, param), param);
    else if (name == "Name") key.name = name_of(member, param);
    else if (name == "Provider") key.provider = read_provider(string_of(member, param), param);
    else if (name == "Level") key.level = int_of(member, param, 0, max_level);
    else if (name == "Weight") key.weight = static_cast<unsigned>(int_of(member, param, 1, max_weight));
    else if (name == "RPM") key.quota.rpm = int_of(member, param, 0, max_quota);
    else if (name == "TPM") key.quota.tpm = int_of(member, param, 0, max_quota);
    else if (name == "Concurrency") key.quota.concurrency = int_of(member, param, 0, max_quota);
    else if (name == "Status") key.enabled = bool_of(member, param);
    else if (name == "Verify") verify = bool_of(member, param);
    else throw Fault400{param, "Unknown field " + param + ". Known: SecretKey, Name, Provider, Level, Weight, RPM, TPM, Concurrency, Status, Verify."};
  }
  if (key.secret.empty()) throw Fault400{dot + "SecretKey", dot + "SecretKey is missing."};
  return key;
}

void read_list(const json& list, const std::string& name, const NewKey& common, KeyInput& input) {
  if (!list.is_array()) throw Fault400{name, name + " must be an array."};
  if (list.empty()) throw Fault400{name.empty() ? "SecretKeys" : name, "The list has no keys."};
  if (list.size() > max_keys) throw Fault400{name, "At most " + std::to_string(max_keys) + " keys in one call."};
  input.is_list = true;
  for (std::size_t i = 0; i < list.size(); ++i) {
    input.keys.push_back(read_key(list[i], name + "[" + std::to_string(i) + "]", input.verify, common));
  }
}

/// `{"SecretKeys":[...]}`, whose other fields hold for every key that does not say otherwise.
void read_bulk_object(const json& object, KeyInput& input) {
  json fields = object;
  fields.erase("SecretKeys");
  fields["SecretKey"] = std::string(min_secret, 'x');
  NewKey common = read_key(fields, "", input.verify);
  common.secret = Secret();
  read_list(object["SecretKeys"], "SecretKeys", common, input);
}

void read_text(std::string_view body, KeyInput& input) {
  input.is_list = true;
  std::size_t number = 0;
  while (!body.empty()) {
    const auto end = body.find('\n');
    auto line = body.substr(0, end);
    body = end == body.npos ? std::string_view() : body.substr(end + 1);
    ++number;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    if (line.empty() || line.starts_with('#')) continue;
    if (input.keys.size() >= max_keys) throw Fault400{"SecretKeys", "At most " + std::to_string(max_keys) + " keys in one call."};
    input.keys.push_back(read_line(line, "line " + std::to_string(number)));
  }
  if (input.keys.empty()) throw Fault400{"SecretKeys", "The text has no keys; put one on each line."};
}

json parse(std::string_view body) {
  json root = json::parse(body, nullptr, false);
  if (root.is_discarded()) throw Fault400{"", "The body is not valid JSON. Send {\"SecretKey\":\"sk-...\"}, a list, or text/plain with one key a line."};
  return root;
}

}  // namespace

std::variant<KeyInput, ApiError> read_new_keys(std::string_view content_type, std::string_view body) {
  KeyInput input;
  try {
    if (content_type.starts_with("text/plain")) {
      read_text(body, input);
      return input;
    }
    const json root = parse(body);
    if (root.is_array()) read_list(root, "", {}, input);
    else if (root.is_object() && root.contains("SecretKeys")) read_bulk_object(root, input);
    else input.keys.push_back(read_key(root, "", input.verify));
  } catch (const Fault400& fault) {
    return to_error(fault);
  }
  return input;
}

std::variant<KeyChange, ApiError> read_key_change(std::string_view body) {
  KeyChange change;
  try {
    const json root = parse(body);
    if (!root.is_object()) throw Fault400{"", "The body must be a JSON object."};
    for (const auto& [name, member] : root.items()) {
      if (name == "Name") change.name = name_of(member, name);
      else if (name == "Provider") change.provider = read_provider(string_of(member, name), name);
      else if (name == "Level") change.level = int_of(member, name, 0, max_level);
      else if (name == "Weight") change.weight = static_cast<unsigned>(int_of(member, name, 1, max_weight));
      else if (name == "RPM") change.rpm = int_of(member, name, 0, max_quota);
      else if (name == "TPM") change.tpm = int_of(member, name, 0, max_quota);
      else if (name == "Concurrency") change.concurrency = int_of(member, name, 0, max_quota);
      else if (name == "Status") change.enabled = bool_of(member, name);
      else throw Fault400{name, "Unknown field " + name + ". Known: Name, Provider, Level, Weight, RPM, TPM, Concurrency, Status."};
    }
    if (root.empty()) throw Fault400{"", "Nothing to change: give Name, Provider, Level, Weight, RPM, TPM, Concurrency or Status."};
  } catch (const Fault400& fault) {
    return to_error(fault);
  }
  return change;
}

}  // namespace proxyxai
