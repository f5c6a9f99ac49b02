#include "json_body.hpp"

#include <cmath>
#include <set>

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

using nlohmann::json;

/// ModelLimits is the deepest: an object of objects. What is deeper would only cost stack when it is written out again.
constexpr int most_depth = 4;

}  // namespace

void refuse_field(const std::string& field, const std::string& what, std::string_view code) {
  throw Refused({400, code, field + " " + what + ".", field, true});
}

json read_object(std::string_view body) {
  std::set<std::string> seen;
  std::string field;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > most_depth) throw Refused({400, "invalid_value", "The body is nested too deeply.", field, true});
    if (event == json::parse_event_t::key && depth == 1) {
      field = parsed.get<std::string>();
      if (!seen.insert(field).second) refuse_field(field, "is given twice");
    }
    return true;
  };
  json root;
  try {
    root = json::parse(body.begin(), body.end(), watch);
  } catch (const json::parse_error&) {
    const std::string place = field.empty() ? std::string() : "; look at " + field;
    throw Refused({400, "invalid_json", "The body is not valid JSON" + place + ".", field, true});
  } catch (const json::out_of_range&) {
    refuse_field(field, "has a number that is too large");
  }
  if (!root.is_object()) throw Refused({400, "invalid_json", "The body must be a JSON object.", {}, true});
  return root;
}

void require_json(std::string_view content_type) {
  const auto end = content_type.find_first_of("; \t");
  const std::string_view type = content_type.substr(0, end);
  if (type.empty() || equals_lower(type, "application/json") || equals_lower(type, "text/json")) return;
  throw Refused({415, "unsupported_media_type", "The body must be JSON; send Content-Type: application/json.", "Content-Type", true});
}

std::string string_of(const json& value, const std::string& field) {
  if (!value.is_string()) refuse_field(field, "must be a string");
  return value.get<std::string>();
}

bool bool_of(const json& value, const std::string& field) {
  if (!value.is_boolean()) refuse_field(field, "must be true or false");
  return value.get<bool>();
}

std::int64_t whole_of(const json& value, const std::string& field) {
  constexpr double largest = 9'007'199'254'740'992;  // 2^53: beyond, not every whole number is told from its neighbours
  const double number = value.is_number() ? value.get<double>() : 0.5;
  if (!(std::abs(number) <= largest) || std::trunc(number) != number) refuse_field(field, "must be a whole number");
  return static_cast<std::int64_t>(number);
}

double number_of(const json& value, const std::string& field) {
  const double number = value.is_number() ? value.get<double>() : std::nan("");
  if (!std::isfinite(number)) refuse_field(field, "must be a number");
  return number;
}

std::string words_of(const json& value, const std::string& field) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) refuse_field(field, "must be a string of words separated by spaces, or an array of strings");
  std::string words;
  for (const json& each : value) words.append(words.empty() ? "" : " ").append(string_of(each, field));
  return words;
}

}  // namespace proxyxai
