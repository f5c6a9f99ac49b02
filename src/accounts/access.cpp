#include "proxyxai/accounts/access.hpp"

#include <algorithm>

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

/// The stored list of an account that may use no model at all.
constexpr std::string_view no_model = "-*";
/// Of an account that nobody may call from afar.
constexpr std::string_view loopback_only = "127.0.0.0/8 ::1";
constexpr std::size_t most_words = 1000;
constexpr std::size_t longest_word = 256;

std::string joined(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& each : words) list.append(list.empty() ? "" : " ").append(each);
  return list;
}

void add_word(std::vector<std::string>& words, std::string word) {
  if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
}

bool has_allowed(const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(), [](const std::string& each) { return !each.starts_with('-'); });
}

/// Allows `word`. Where it was only taken out of everything, everything is allowed again; else, as where `nothing` was allowed, the list
/// is what is allowed.
void put_back(std::vector<std::string>& words, std::string word, bool nothing = false) {
  const bool was_out = std::erase(words, "-" + word) > 0;
  if (!was_out || nothing || has_allowed(words)) add_word(words, std::move(word));
}

/// Takes out what is `taken`: its own entry, and what other entries still allow of it. `overlaps` tells whether an entry does.
/// Where nothing is left to allow, the list becomes `nothing`: an empty one would allow everything.
template <class Overlaps>
void take_out(std::vector<std::string>& words, const std::string& taken, std::string_view nothing, Overlaps overlaps) {
  const bool was_entry = std::erase(words, taken) > 0;
  if (was_entry && !has_allowed(words)) {
    words = words_of(nothing);
    return;
  }
  const bool is_still_allowed = !was_entry || std::any_of(words.begin(), words.end(), [&](const std::string& each) {
    return !each.starts_with('-') && overlaps(each);
  });
  if (is_still_allowed) add_word(words, "-" + taken);
}

/// Two ranges overlap when one has the other's first address.
bool ranges_overlap(const std::string& a, const std::string& b) {
  const auto has = [](const std::string& range, const std::string& other) {
    const std::string one[] = {range};
    const auto list = CidrList::parse(one);
    return list && list->contains(std::string_view(other).substr(0, other.find('/')));
  };
  return a == "loopback" || b == "loopback" || has(a, b) || has(b, a);
}

/// Two patterns overlap when one begins the other.
bool patterns_overlap(std::string_view a, std::string_view b) {
  const auto begin_of = [](std::string_view pattern) { return pattern.substr(0, pattern.size() - (pattern.ends_with('*') ? 1 : 0)); };
  return matches_pattern(a, begin_of(b)) || matches_pattern(b, begin_of(a));
}

std::optional<std::string> joined_if_few(const std::vector<std::string>& words, std::string& bad) {
  if (words.size() <= most_words) return joined(words);
  bad = "more than 1000 entries";
  return std::nullopt;
}

bool is_model_word(std::string_view word) {
  if (word.starts_with('-')) word.remove_prefix(1);
  const auto star = word.find('*');
  const bool printable = std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\'; });
  return !word.empty() && printable && (star == word.npos || star + 1 == word.size());
}

std::string_view without_version(std::string_view path) { return is_under(path, "/v1") ? path.substr(3) : path; }

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view model) {
  if (!pattern.ends_with('*')) return pattern == model;
  pattern.remove_suffix(1);
  return model.starts_with(pattern);
}

std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  std::size_t at = 0;
  while (at < list.size()) {
    const auto begin = list.find_first_not_of(" \t\r\n,", at);
    if (begin == list.npos) break;
    const auto end = std::min(list.find_first_of(" \t\r\n,", begin), list.size());
    words.emplace_back(list.substr(begin, end - begin));
    at = end;
  }
  return words;
}

AccessRules::AccessRules(std::string_view ips, std::string_view models, std::string_view resources)
    : models_(words_of(models)), resources_(words_of(resources)) {
  std::vector<std::string> allowed, denied;
  for (std::string& each : words_of(ips)) {
    if (each.starts_with('-')) denied.push_back(each.substr(1));
    else allowed.push_back(std::move(each));
  }
  const auto out = CidrList::parse(denied);
  if (out) denied_ = *out;
  if (!allowed.empty() || !out) addresses_ = CidrList::parse(out ? allowed : denied).value_or(CidrList());
}

bool AccessRules::allows_model(std::string_view model) const {
  if (models_.empty()) return true;
  bool allowed = false, names_allowed = false;
  for (const std::string& each : models_) {
    if (each.starts_with('-')) {
      if (matches_pattern(std::string_view(each).substr(1), model)) return false;
    } else {
      names_allowed = true;
      allowed = allowed || matches_pattern(each, model);
    }
  }
  // Only exceptions: the rest is allowed.
  return allowed || !names_allowed;
}

bool AccessRules::allows_path(std::string_view path) const {
  if (resources_.empty()) return true;
  path = without_version(path);
  return std::any_of(resources_.begin(), resources_.end(), [path](const std::string& each) {
    std::string_view allowed = without_version(each);
    if (allowed.ends_with('*')) return path.starts_with(allowed.substr(0, allowed.size() - 1));
    if (allowed.ends_with('/')) allowed.remove_suffix(1);
    return path.starts_with(allowed) && (path.size() == allowed.size() || path[allowed.size()] == '/');
  });
}

std::optional<std::string> change_addresses(std::string_view stored, std::string_view allow, std::string_view deny, std::string& bad) {
  std::vector<std::string> words = words_of(stored);
  const auto is_good = [&bad](const std::string& word) {
    const std::string one[] = {word};
    return word == "*" || CidrList::parse(one, &bad).has_value();
  };
  const auto take_range_out = [&words](const std::string& range) {
    if (range == "*") words = words_of(loopback_only);
    else take_out(words, range, loopback_only, [&range](const std::string& other) { return ranges_overlap(range, other); });
  };
  for (std::string& each : words_of(allow)) {
    // As it is shown.
    const bool is_taken_out = each.starts_with('-');
    if (is_taken_out) each.erase(0, 1);
    if (!is_good(each)) return std::nullopt;
    if (is_taken_out) take_range_out(each);
    else if (each == "*") words.clear();
    else put_back(words, std::move(each));
  }
  for (const std::string& each : words_of(deny)) {
    if (!is_good(each)) return std::nullopt;
    take_range_out(each);
  }
  return joined_if_few(words, bad);
}

std::optional<std::string> change_models(std::string_view stored, std::string_view allow, std::string_view deny, std::string& bad) {
  std::vector<std::string> words = words_of(stored);
  const auto is_good = [&bad](const std::string& word) {
    bad = word;
    return word.size() <= longest_word && is_model_word(word);
  };
  for (std::string& each : words_of(allow)) {
    if (!is_good(each)) return std::nullopt;
    if (each == "*") words.clear();
    else if (each == no_model) words = words_of(no_model);
    // As it is shown: what is taken out, be it of nothing.
    else if (each.starts_with('-')) add_word(words, std::move(each));
    else put_back(words, std::move(each), std::erase(words, std::string(no_model)) > 0);
  }
  for (const std::string& each : words_of(deny)) {
    if (!is_good(each)) return std::nullopt;
    if (each == "*" || each == no_model) words = words_of(no_model);
    // Already written as what is taken out.
    else if (each.starts_with('-')) add_word(words, each);
    else take_out(words, each, no_model, [&each](const std::string& other) { return patterns_overlap(each, other); });
  }
  return joined_if_few(words, bad);
}

std::optional<std::string> check_resources(std::string_view given, std::string& bad) {
  std::vector<std::string> words = words_of(given);
  if (words.size() == 1 && words[0] == "*") return std::string();
  for (const std::string& each : words) {
    bad = each;
    const bool printable = std::all_of(each.begin(), each.end(), [](char c) { return c > ' ' && c < 0x7f; });
    if (!each.starts_with('/') || each.size() > longest_word || !printable) return std::nullopt;
  }
  return joined(words);
}

}  // namespace proxyxai
