// What accounts may reach. Each line is a change of a list (`allow-ips WORDS`, `deny-ips`, `allow-models`, `deny-models`, `resources`), or
// an address or model to ask about (`? TEXT`). However the lists came about: to allow something gives nothing else, to deny something
// takes it and gives nothing, and ranges agree with plain arithmetic.
#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "check.hpp"
#include "proxyxai/accounts/access.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;

namespace {

struct Address {
  unsigned char bytes[16];
};

std::optional<Address> address_of(const std::string& text) {
  Address address{};
  if (text.find('\0') != text.npos) return std::nullopt;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes) == 1) return address;
  std::memset(address.bytes + 10, 0xff, 2);
  if (inet_pton(AF_INET, text.c_str(), address.bytes + 12) == 1) return address;
  return std::nullopt;
}

/// Bit by bit. Nullopt: `range` is none.
std::optional<bool> is_in(const std::string& range, const std::string& address) {
  const std::string base = range.substr(0, range.find('/'));
  const auto first = address_of(base);
  const auto asked = address_of(address);
  if (!first) return std::nullopt;
  const bool is_v4 = base.find(':') == base.npos;
  const int bits = (base.size() == range.size() ? is_v4 ? 32 : 128 : std::atoi(range.c_str() + base.size() + 1)) + (is_v4 ? 96 : 0);
  if (!asked) return false;
  for (int i = 0; i < bits; ++i) {
    if (((first->bytes[i / 8] ^ asked->bytes[i / 8]) >> (7 - i % 8)) & 1) return false;
  }
  return true;
}

void check_range(const std::string& text, const std::vector<std::string>& asked) {
  const std::string one[] = {text};
  const auto list = CidrList::parse(one);
  if (!list || text == "loopback") return;
  for (const std::string& each : asked) {
    const auto wanted = is_in(text, each);
    require(wanted.has_value(), "the C library reads this address too");
    same(list->contains(each), *wanted, ("whether " + shown(text) + " has " + shown(each)).c_str());
  }
}

std::string bare(std::string word) {
  if (word.starts_with('-')) word.erase(0, 1);
  return word;
}

bool is_denied(const std::string& range, const std::string& address) {
  const std::string one[] = {bare(range)};
  const auto list = CidrList::parse(one);
  return bare(range) == "*" || (list && list->contains(address));
}

bool is_loopback(const std::string& address) { return is_denied("loopback", address); }
bool is_matched(const std::string& word, const std::string& model) { return bare(word) == "*" || matches_pattern(bare(word), model); }

template <class Covers>
bool any(const std::vector<std::string>& words, const std::string& asked, Covers covers) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return covers(word, asked); });
}

/// One list and how it is changed and asked.
template <class Change, class Allows, class Covers, class Stays>
void change(std::string& list, const std::vector<std::string>& words, bool is_allowing, const std::vector<std::string>& asked, Change apply,
            Allows allows, Covers covers, Stays stays) {
  std::string bad, text;
  for (const std::string& each : words) text += each + " ";
  const auto changed = is_allowing ? apply(list, text, "", bad) : apply(list, "", text, bad);
  if (!changed) {
    // Of `-` nothing is left to name.
    require(!bad.empty() || std::find(words.begin(), words.end(), "-") != words.end(), "a refused change names the word");
    return;
  }
  // A word that begins with `-` among what is allowed takes out.
  const auto takes_out = [](const std::string& each) { return each.starts_with('-'); };
  // `*` before others begins the list anew, and those are what is allowed.
  const bool begins_anew = std::find(words.begin(), words.end(), "*") != words.end() && words.size() > 1;
  const bool only_gives = is_allowing && !begins_anew && std::none_of(words.begin(), words.end(), takes_out);
  const std::vector<std::string> old = words_of(list);
  // An empty list, and one of exceptions alone, allows everything else: to allow something is then to allow that alone.
  const bool names_allowed = std::any_of(old.begin(), old.end(), [&](const std::string& each) { return !takes_out(each); });
  const bool only_takes = !is_allowing;
  for (const std::string& each : asked) {
    const bool before = allows(list, each), after = allows(*changed, each);
    const std::string what = shown(text) + (is_allowing ? " allowed to " : " denied to ") + shown(list) + " gives " + shown(*changed) + ", asked for " + shown(each);
    // What a list is left with from which the last was taken.
    const bool is_left = !only_gives && stays(each);
    if (is_allowing && after && !before && !is_left && !any(words, each, covers)) fail("what is allowed is no more than asked for: " + what);
    if (only_takes && after && !before && !is_left) fail("to deny gives nothing: " + what);
    if (only_takes && after && any(words, each, covers) && !is_left) fail("what is denied is out: " + what);
    if (only_gives && before && !after && names_allowed) fail("to allow takes nothing away: " + what);
  }
  std::string none;
  const auto again = apply(*changed, "", "", none);
  require(again.has_value(), "a list that was made can be changed");
  same(*again, *changed, "a list that nothing is changed of");
  list = *changed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  struct Line {
    std::string name;
    std::vector<std::string> words;
  };
  std::vector<Line> lines;
  std::vector<std::string> asked{"127.0.0.1", "::1", "10.0.0.1", "::ffff:10.1.2.3", "gpt-4", "gpt-4-mini", "o1", ""};
  for (std::string_view text = text_of(data, size); !text.empty() && lines.size() < 12;) {
    const std::string_view line = take_line(text);
    const auto space = std::min(line.find(' '), line.size());
    lines.push_back({std::string(line.substr(0, space)), words_of(line.substr(space))});
    for (const std::string& word : lines.back().words) {
      std::string each = bare(word);
      if (each.ends_with('*')) each.back() = 'x';
      asked.push_back(each);
      asked.push_back(each.substr(0, each.find('/')));
    }
  }
  if (asked.size() > 60) asked.resize(60);

  std::string ips, models;
  for (const Line& line : lines) {
    const bool is_allowing = line.name.starts_with("allow");
    if (line.name == "allow-ips" || line.name == "deny-ips") {
      for (const std::string& each : line.words) check_range(each, asked);
      change(
          ips, line.words, is_allowing, asked, change_addresses,
          [](const std::string& list, const std::string& each) { return AccessRules(list, "", "").allows_address(each); }, is_denied, is_loopback);
    } else if (line.name == "allow-models" || line.name == "deny-models") {
      change(
          models, line.words, is_allowing, asked, change_models,
          [](const std::string& list, const std::string& each) { return AccessRules("", list, "").allows_model(each); }, is_matched,
          [](const std::string&) { return false; });
    } else if (line.name == "resources") {
      std::string text, bad;
      for (const std::string& each : line.words) text += each + " ";
      const auto checked = check_resources(text, bad);
      require(checked || !bad.empty(), "a refused resource is named");
      if (!checked || checked->empty()) continue;
      const AccessRules rules("", "", *checked);
      for (const std::string& each : line.words) {
        const bool is_path = each.find('*') == each.npos;
        if (is_path) require(rules.allows_path(each), "a resource allows itself");
        if (is_path && !each.ends_with('/')) require(rules.allows_path(each + "/x"), "a resource allows what is below it");
      }
      if (checked->find('*') == checked->npos && checked->find("/v1") == checked->npos) {
        require(rules.allows_path("/zzz") == (any(line.words, "/zzz", [](const std::string& a, const std::string& b) { return a == b || a == b + "/" || a == "/"; })),
                "no resource allows what is beside it");
      }
    }
  }
  return 0;
}
