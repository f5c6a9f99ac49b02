#include "proxyxai/accounts/virtual_key.hpp"

#include <algorithm>
#include <set>

#include "proxyxai/base/random.hpp"

namespace proxyxai {
namespace {

constexpr std::string_view prefix = "sk-Xvs";
constexpr std::size_t random_part = 45;
/// 45 random characters of 62 have over 20 different ones but once in a billion times; default and example keys have few.
constexpr std::size_t least_different = 10;

}  // namespace

Secret make_virtual_key() { return Secret(std::string(prefix) + random_alphanumeric(random_part)); }

bool is_virtual_key(std::string_view text) {
  if (text.size() != prefix.size() + random_part || !text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  const bool good = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  return good && std::set<char>(text.begin(), text.end()).size() >= least_different;
}

}  // namespace proxyxai
