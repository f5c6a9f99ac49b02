#include "proxyxai/http/hygiene.hpp"

namespace proxyxai {
namespace {

using beast_http::field;

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ", 2).append(value).append("\r\n", 2);
}

/// Fields that belong to one connection whatever Connection says (RFC 9110 7.6.1).
bool is_hop_by_hop(const Field& candidate) {
  switch (candidate.id) {
    case field::connection:
    case field::keep_alive:
    case field::proxy_connection:
    case field::proxy_authenticate:
    case field::proxy_authorization:
    case field::proxy_authentication_info:
    case field::te:
    case field::trailer:
    case field::transfer_encoding:
    case field::upgrade: return true;
    default: return false;
  }
}

/// What the Connection fields of a message name; most name only keep-alive or close, which is no field to drop.
class Nominated {
 public:
  explicit Nominated(const Fields& fields) {
    for (const Field& each : fields) {
      if (each.id == field::connection && !is_ordinary(each.value)) value_ = &fields;
    }
  }
  [[nodiscard]] bool covers(const Field& candidate) const {
    if (value_ == nullptr) return false;
    std::string lower(candidate.name);
    for (char& c : lower) c = to_lower(c);
    for (const Field& each : *value_) {
      if (each.id == field::connection && has_token(each.value, lower)) return true;
    }
    return false;
  }

 private:
  static bool is_ordinary(std::string_view value) {
    return equals_lower(value, "keep-alive") || equals_lower(value, "close") || equals_lower(value, "upgrade");
  }
  const Fields* value_ = nullptr;
};

/// Names Beast does not list go by text. One with an underscore is to some servers the same with a hyphen, be it private or of the framing;
/// and one that gives another method would have a request served as what it was not charged for.
bool is_private_request_name(std::string_view name) {
  return name.find('_') != name.npos || equals_lower(name, "x-http-method-override") || equals_lower(name, "x-http-method") ||
         equals_lower(name, "x-method-override") || starts_with_lower(name, "x-forwarded-") || equals_lower(name, "api-key") || equals_lower(name, "x-api-key") ||
         equals_lower(name, "openai-organization") || equals_lower(name, "openai-project") ||
         equals_lower(name, "x-real-ip") || equals_lower(name, "cookie2");
}

bool is_private_response_name(std::string_view name) {
  return equals_lower(name, "openai-organization") || equals_lower(name, "openai-project") ||
         starts_with_lower(name, "x-ratelimit-") || starts_with_lower(name, "access-control-") ||
         equals_lower(name, "x-proxyxai-attempts");
}

/// What names a key, an organisation or a project, wherever in the item it stands.
bool is_private_subprotocol(std::string_view item) {
  std::string lower(item);
  for (char& c : lower) c = to_lower(c);
  return lower.find("api-key") != lower.npos || lower.find("organization") != lower.npos || lower.find("project") != lower.npos;
}

/// The subprotocol list without its private items.
void append_subprotocols(std::string& out, std::string_view list) {
  bool first = true;
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto item = trim(list.substr(0, comma));
    if (!item.empty() && !is_private_subprotocol(item)) {
      out.append(first ? "Sec-WebSocket-Protocol: " : ", ").append(item);
      first = false;
    }
    if (comma == list.npos) break;
    list.remove_prefix(comma + 1);
  }
  if (!first) out.append("\r\n");
}

}  // namespace

void append_upstream_fields(std::string& out, const Fields& fields, bool upgrade) {
  const Nominated nominated(fields);
  for (const Field& each : fields) {
    switch (each.id) {
      case field::host:
      case field::authorization:
      case field::accept_encoding:
      case field::content_length:
      case field::expect:
      case field::cookie:
      case field::forwarded:
      case field::via:
      // Compressed frames could not be read for what they cost.
      case field::sec_websocket_extensions: continue;
      case field::sec_websocket_protocol:
        if (upgrade) append_subprotocols(out, each.value);
        continue;
      case field::unknown:
        if (is_private_request_name(each.name)) continue;
        // It is given in place of one that is empty.
        if (each.value.empty() && equals_lower(each.name, "x-client-request-id")) continue;
        break;
      default:
        if (is_hop_by_hop(each) || starts_with_lower(each.name, "x-forwarded-")) continue;
        break;
    }
    if (nominated.covers(each)) continue;
    append_field(out, each.name, each.value);
  }
  if (upgrade) out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
}

void append_client_fields(std::string& out, const Fields& fields, bool upgrade) {
  const Nominated nominated(fields);
  for (const Field& each : fields) {
    switch (each.id) {
      case field::set_cookie:
      case field::set_cookie2:
      case field::alt_svc:
      case field::strict_transport_security:
      case field::content_length: continue;
      case field::unknown:
        if (is_private_response_name(each.name)) continue;
        break;
      default:
        if (is_hop_by_hop(each) || starts_with_lower(each.name, "access-control-")) continue;
        break;
    }
    if (nominated.covers(each)) continue;
    append_field(out, each.name, each.value);
  }
  if (upgrade) out.append("Connection: Upgrade\r\nUpgrade: websocket\r\n");
}

}  // namespace proxyxai
