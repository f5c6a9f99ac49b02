#include "proxyxai/http/query.hpp"

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t max_parameters = 64;

}  // namespace

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty() && parameters.size() < max_parameters) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    if (!pair.empty()) {
      const auto value = equals == pair.npos ? std::string_view() : pair.substr(equals + 1);
      parameters.emplace_back(percent_decode(pair.substr(0, equals), true), percent_decode(value, true));
    }
    if (end == query.npos) break;
    query.remove_prefix(end + 1);
  }
  return parameters;
}

}  // namespace proxyxai
