#include <nlohmann/json.hpp>

#include "proxyxai/keys/service.hpp"

namespace proxyxai {
namespace {

using nlohmann::json;

const char* kind_name(KeyLimit::Kind kind) {
  switch (kind) {
    case KeyLimit::Kind::cooling: return "cooling";
    case KeyLimit::Kind::excluded_model: return "model";
    case KeyLimit::Kind::excluded_endpoint: return "endpoint";
  }
  return "cooling";
}

KeyLimit::Kind kind_of(const std::string& name) {
  if (name == "model") return KeyLimit::Kind::excluded_model;
  return name == "endpoint" ? KeyLimit::Kind::excluded_endpoint : KeyLimit::Kind::cooling;
}

json time_or_null(const std::optional<WallTime>& time) { return time ? json(to_unix_ms(*time)) : json(nullptr); }

std::optional<WallTime> time_of(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return std::nullopt;
  return from_unix_ms(found->get<std::int64_t>());
}

KeyLimit limit_of(const json& each) {
  KeyLimit limit;
  limit.kind = kind_of(each.value("kind", ""));
  limit.subject = each.value("subject", "");
  limit.reason = each.value("reason", "");
  limit.since = time_of(each, "since").value_or(WallTime{});
  limit.until = time_of(each, "until");
  return limit;
}

}  // namespace

std::string to_json(const KeyHealth& health) {
  json limits = json::array();
  for (const KeyLimit& each : health.limits) {
    limits.push_back({{"kind", kind_name(each.kind)},
                      {"subject", each.subject},
                      {"reason", each.reason},
                      {"since", to_unix_ms(each.since)},
                      {"until", time_or_null(each.until)}});
  }
  const json object = {{"state", to_string(health.state)},  {"reason", health.reason},
                       {"since", to_unix_ms(health.since)}, {"until", time_or_null(health.until)},
                       {"limits", std::move(limits)},       {"requests", health.requests},
                       {"failures", health.failures},       {"last_used", time_or_null(health.last_used)}};
  // Models come from clients and may be no UTF-8.
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

KeyHealth health_from_json(std::string_view text) {
  KeyHealth health;
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return health;
  try {
    health.state = parse_key_state(object.value("state", "active")).value_or(KeyState::active);
    health.reason = object.value("reason", "");
    health.since = time_of(object, "since").value_or(WallTime{});
    health.until = time_of(object, "until");
    health.requests = object.value("requests", std::uint64_t{0});
    health.failures = object.value("failures", std::uint64_t{0});
    health.last_used = time_of(object, "last_used");
    for (const json& each : object.value("limits", json::array())) health.limits.push_back(limit_of(each));
  } catch (const json::exception&) {
    return KeyHealth{};
  }
  return health;
}

}  // namespace proxyxai
