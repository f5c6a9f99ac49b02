#include "asked_model.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/http/query.hpp"

namespace proxyxai {
namespace {

/// As a value in a query: what is not unreserved (RFC 3986 section 2.3) is encoded.
std::string percent_encode(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const char lower = to_lower(c);
    if ((lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || std::string_view("-._~").find(c) != std::string_view::npos) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', digits[byte >> 4], digits[byte & 0xf]});
  }
  return out;
}

/// The query with `model=name` in place of the parameter of that name, which it has once.
std::string with_model(std::string_view query, std::string_view name) {
  std::string out;
  for (bool first = true; !query.empty(); first = false) {
    const auto pair = query.substr(0, query.find('&'));
    if (!first) out.push_back('&');
    if (percent_decode(pair.substr(0, pair.find('=')), true) == "model") out.append("model=").append(percent_encode(name));
    else out.append(pair);
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  return out;
}

}  // namespace

void ask_for_model(RequestContext& request, const std::string& name) {
  RequestFacts& facts = request.facts;
  if (asks_in_query(request)) {
    request.own_query = with_model(request.query, name);
    request.query = request.own_query;
  } else {
    const bool is_form = has_media_type(find(request.client.fields(), beast_http::field::content_type), "multipart/form-data");
    request.body.splice(facts.model_begin, facts.model_end - facts.model_begin, is_form ? name : nlohmann::json(name).dump());
  }
  facts.model = name;
}

}  // namespace proxyxai
