#include "proxyxai/http/credentials.hpp"

#include "proxyxai/http/hygiene.hpp"

namespace proxyxai {
namespace {

std::string_view without_scheme(std::string_view value) {
  if (starts_with_lower(value, "bearer ")) value.remove_prefix(7);
  while (value.starts_with(' ')) value.remove_prefix(1);
  return value;
}

std::string_view in_subprotocols(std::string_view list) {
  const auto at = list.find(websocket_key_prefix);
  if (at == list.npos) return {};
  list.remove_prefix(at + websocket_key_prefix.size());
  return list.substr(0, list.find_first_of(", \t"));
}

}  // namespace

std::string_view find_credential(const Fields& fields) {
  std::string_view header, subprotocol;
  for (const Field& each : fields) {
    if (each.id == beast_http::field::authorization) {
      const auto key = without_scheme(each.value);
      if (!key.empty()) return key;
    } else if (each.id == beast_http::field::sec_websocket_protocol) {
      if (subprotocol.empty()) subprotocol = in_subprotocols(each.value);
    } else if (each.id == beast_http::field::unknown && header.empty() &&
               (equals_lower(each.name, "api-key") || equals_lower(each.name, "x-api-key"))) {
      header = each.value;
    }
  }
  return header.empty() ? subprotocol : header;
}

}  // namespace proxyxai
