#include "proxyxai/metering/model_map.hpp"

#include <algorithm>

#include "proxyxai/base/error.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

constexpr char wildcard = '*';

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto begin = std::min(text.find_first_not_of(blanks), text.size());
  text.remove_prefix(begin);
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

/// What is wrong with an entry, or nothing.
std::string fault_of(std::string_view pattern, std::string_view name) {
  if (pattern.empty()) return "has no pattern before the '='";
  if (name.empty()) return "has no name behind the '='";
  if (pattern.size() > max_model || name.size() > max_model) return "has more than " + std::to_string(max_model) + " characters on one side";
  if (!is_visible(pattern) || !is_visible(name)) return "has blanks or characters that are not ASCII inside";
  if (name.find('=') != name.npos) return "has more than one '='";
  if (name.find(wildcard) != name.npos) return "has a '*' behind the '=', where one name must stand";
  return {};
}

/// A star takes as little as it can; when what follows it fails, it takes one character more. Only the last star passed needs
/// this: what earlier ones took cannot hinder it.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = pattern.npos, from = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == wildcard) {
      star = p++;
      from = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star + 1;
      t = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of(wildcard, p) == pattern.npos;
}

}  // namespace

ModelMap::ModelMap(std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    const std::string_view entry = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (entry.empty()) continue;
    const auto equals = entry.find('=');
    const std::string_view pattern = trimmed(entry.substr(0, equals));
    const std::string_view name = equals == entry.npos ? std::string_view() : trimmed(entry.substr(equals + 1));
    std::string fault = equals == entry.npos ? "has no '='; write pattern=name" : fault_of(pattern, name);
    const auto is_same = [pattern](const Entry& each) { return each.pattern == pattern; };
    if (fault.empty() && std::any_of(entries_.begin(), entries_.end(), is_same)) fault = "has the pattern of an entry before it";
    if (fault.empty() && entries_.size() == most_entries) fault = "is one too many: there may be " + std::to_string(most_entries);
    if (!fault.empty()) {
      throw Failure("entry " + std::to_string(entries_.size() + 1) + ", '" + std::string(entry.substr(0, max_model)) + "', " + fault);
    }
    entries_.push_back({std::string(pattern), std::string(name)});
  }
}

const std::string* ModelMap::find(std::string_view model) const {
  for (const Entry& each : entries_) {
    if (matches(each.pattern, model)) return &each.name;
  }
  return nullptr;
}

}  // namespace proxyxai
