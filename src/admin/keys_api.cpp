#include "proxyxai/admin/keys_api.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "proxyxai/admin/key_input.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/origin_address.hpp"
#include "proxyxai/http/query.hpp"

namespace proxyxai {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view root_path = "/x-keys";
constexpr std::size_t max_page_size = 1000;

ordered_json time_or_null(const std::optional<WallTime>& time) {
  return time ? ordered_json(to_rfc3339(*time)) : ordered_json(nullptr);
}

/// The one word for a key, with what holds for single models taken in.
std::string state_of(const KeyHealth& health) {
  if (health.state != KeyState::active || health.limits.empty()) return to_string(health.state);
  const bool cooling = std::any_of(health.limits.begin(), health.limits.end(),
                                   [](const KeyLimit& each) { return each.kind == KeyLimit::Kind::cooling; });
  return cooling ? "cooling" : "excluded";
}

/// In plain words: what for and why.
std::string reason_of(const KeyLimit& limit) {
  std::string text = limit.kind == KeyLimit::Kind::cooling ? "cooling" : "excluded";
  if (!limit.subject.empty()) text += " for " + limit.subject;
  if (limit.until) text += " until " + to_rfc3339(*limit.until);
  return text + ": " + limit.reason;
}

std::string reason_of(const KeyHealth& health) {
  if (health.state != KeyState::active) return health.reason;
  std::string text;
  for (const KeyLimit& each : health.limits) text += (text.empty() ? "" : "; ") + reason_of(each);
  return text;
}

std::optional<WallTime> until_of(const KeyHealth& health) {
  if (health.state != KeyState::active) return health.until;
  std::optional<WallTime> last;
  for (const KeyLimit& each : health.limits) {
    if (each.until && (!last || *each.until > *last)) last = each.until;
  }
  return last;
}

std::optional<WallTime> since_of(const KeyHealth& health) {
  if (health.state != KeyState::active || health.limits.empty()) {
    return health.since == WallTime{} ? std::nullopt : std::optional<WallTime>(health.since);
  }
  return std::min_element(health.limits.begin(), health.limits.end(), [](const KeyLimit& a, const KeyLimit& b) {
           return a.since < b.since;
         })->since;
}

const char* to_string(KeyLimit::Kind kind) {
  switch (kind) {
    case KeyLimit::Kind::cooling: return "cooling";
    case KeyLimit::Kind::excluded_model: return "excluded_model";
    case KeyLimit::Kind::excluded_endpoint: return "excluded_endpoint";
  }
  return "";
}

/// What Reason has in words: subjects are models as clients wrote them, so that words alone could be anything's.
ordered_json limits_of(const KeyHealth& health) {
  ordered_json limits = ordered_json::array();
  for (const KeyLimit& each : health.limits) {
    limits.push_back({{"Kind", to_string(each.kind)}, {"Subject", each.subject}, {"Reason", each.reason}, {"Since", to_rfc3339(each.since)},
                      {"Until", time_or_null(each.until)}});
  }
  return limits;
}

ordered_json render(const KeyView& key) {
  return {{"ID", key.id},
          {"Name", key.name},
          {"Provider", key.provider},
          {"Level", key.level},
          {"Weight", key.weight},
          {"RPM", key.quota.rpm},
          {"TPM", key.quota.tpm},
          {"Concurrency", key.quota.concurrency},
          {"Status", key.health.state != KeyState::disabled},
          {"State", state_of(key.health)},
          {"Reason", reason_of(key.health)},
          {"Since", time_or_null(since_of(key.health))},
          {"Until", time_or_null(until_of(key.health))},
          {"Limits", limits_of(key.health)},
          {"PartialKey", key.partial},
          {"Requests", key.health.requests},
          {"Failures", key.health.failures},
          {"LastUsedAt", time_or_null(key.health.last_used)},
          {"CreatedAt", to_rfc3339(key.created_at)}};
}

ApiResponse respond(const ordered_json& body) {
  ApiResponse response;
  response.body = body.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  return response;
}

ApiResponse not_found(std::string_view id) {
  return to_response({404, "key_not_found", "There is no upstream key " + std::string(id) + ".", "id", true});
}

std::optional<KeyId> id_of(std::string_view text) {
  const auto id = parse_whole(text);
  return id && *id > 0 ? id : std::nullopt;
}

ApiResponse changed(const char* action, const std::optional<KeyView>& key, std::string_view id) {
  if (!key) return not_found(id);
  return respond({{"Action", action}, {"Key", render(*key)}});
}

/// What `GET /x-keys` is asked to show.
struct Filter {
  std::optional<int> level;
  std::string provider, state;
  std::size_t page = 1, size = 0;  // size 0: all
};

std::optional<ApiError> read_filter(std::string_view query, Filter& filter) {
  for (const auto& [name, value] : parse_query(query)) {
    const auto number = [&, &text = value](int lowest, int highest) -> std::optional<int> {
      const auto given = parse_whole(text);
      return given && *given >= lowest && *given <= highest ? std::optional(static_cast<int>(*given)) : std::nullopt;
    };
    const auto bad = [&, &field = name](const std::string& allowed) {
      return ApiError{400, "invalid_value", field + " must be " + allowed + ".", field, true};
    };
    if (name == "level") {
      filter.level = number(0, 1000);
      if (!filter.level) return bad("a whole number from 0 to 1000");
    } else if (name == "provider") {
      const auto address = parse_origin(value);
      if (!address) return bad("a host or URL");
      filter.provider = to_url(*address);
    } else if (name == "state") {
      if (value != "cooling" && value != "excluded" && !parse_key_state(value)) {
        return bad("one of active, cooling, resting, exhausted, excluded, dead, disabled");
      }
      filter.state = value;
    } else if (name == "page" || name == "size") {
      const auto count = number(1, name == "page" ? 1'000'000 : static_cast<int>(max_page_size));
      if (!count) return bad(name == "page" ? "a whole number from 1" : "a whole number from 1 to 1000");
      (name == "page" ? filter.page : filter.size) = static_cast<std::size_t>(*count);
    } else {
      return ApiError{400, "unknown_field", "Unknown parameter " + name + ". Known: level, provider, state, page, size.", name, true};
    }
  }
  if (filter.page > 1 && filter.size == 0) filter.size = max_page_size;
  return std::nullopt;
}

}  // namespace

bool KeysApi::owns(std::string_view path) const { return is_under(path, root_path); }

Task<ApiResponse> KeysApi::handle(ApiRequest request, AccountPtr caller) {
  if (!caller->row.is_root) {
    co_return to_response({403, "resource_not_allowed", "Upstream keys belong to the operator of the service.", {}, true});
  }
  std::string_view rest = request.path.substr(root_path.size());
  if (rest.starts_with('/')) rest.remove_prefix(1);
  const std::string_view method = request.method;
  if (rest.empty()) {
    if (method == "GET") co_return list(request.query);
    if (method == "POST") co_return co_await add(request);
    co_return wrong_method("GET, POST");
  }
  const auto slash = rest.find('/');
  const auto number = rest.substr(0, slash);
  const auto action = slash == rest.npos ? std::string_view() : rest.substr(slash + 1);
  const auto id = id_of(number);
  if (!id || (!action.empty() && action != "probe")) co_return not_found(rest);
  std::optional<KeyView> key;
  if (action == "probe") {
    if (method != "POST") co_return wrong_method("POST");
    key = co_await keys_.probe(*id);
    co_return key ? respond(render(*key)) : not_found(number);
  }
  if (method == "GET") {
    key = keys_.find(*id);
    co_return key ? respond(render(*key)) : not_found(number);
  }
  if (method == "PUT") co_return co_await change(*id, request);
  if (method == "DELETE") {
    key = co_await keys_.remove(*id);
    co_return changed("delete", key, number);
  }
  co_return wrong_method("GET, PUT, DELETE");
}

ApiResponse KeysApi::list(std::string_view query) const {
  Filter filter;
  if (auto error = read_filter(query, filter)) return to_response(*error);
  ordered_json shown = ordered_json::array();
  std::size_t matching = 0;
  const std::size_t skip = (filter.page - 1) * filter.size;
  for (const KeyView& key : keys_.list()) {
    if (filter.level && key.level != *filter.level) continue;
    if (!filter.provider.empty() && key.provider != filter.provider) continue;
    if (!filter.state.empty() && state_of(key.health) != filter.state) continue;
    if (matching++ < skip) continue;
    if (filter.size > 0 && shown.size() >= filter.size) continue;
    shown.push_back(render(key));
  }
  ApiResponse response = respond(shown);
  response.headers.emplace_back("x-total-count", std::to_string(matching));
  return response;
}

Task<ApiResponse> KeysApi::add(ApiRequest request) {
  auto read = read_new_keys(request.content_type, request.body);
  if (const auto* error = std::get_if<ApiError>(&read)) co_return to_response(*error);
  KeyInput input = std::get<KeyInput>(std::move(read));
  const bool is_list = input.is_list;
  const KeyService::Added result = co_await keys_.add(std::move(input.keys), input.verify);
  if (!is_list) {
    if (!result.rejected.empty() && !result.rejected[0].was_asked) {
      co_return to_response({502, "key_not_verified", "Upstream could not be asked about this key: " + result.rejected[0].reason +
                             ". It was not stored; try again, or leave 'Verify' out.", {}, false});
    }
    if (!result.rejected.empty()) {
      co_return to_response({400, "key_rejected", "Upstream rejects this key: " + result.rejected[0].reason + ". It was not stored.",
                             "SecretKey", true});
    }
    co_return respond({{"Action", "add"}, {"Key", render(result.keys.at(0))}});
  }
  ordered_json keys = ordered_json::array();
  for (const KeyView& key : result.keys) keys.push_back(render(key));
  ordered_json body = {{"Action", "add"}, {"Added", result.added}, {"Existing", result.existing}, {"Keys", std::move(keys)}};
  if (!result.rejected.empty()) {
    ordered_json rejected = ordered_json::array();
    for (const auto& each : result.rejected) rejected.push_back({{"PartialKey", each.partial}, {"Reason", each.reason}});
    body["Rejected"] = std::move(rejected);
  }
  co_return respond(body);
}

Task<ApiResponse> KeysApi::change(KeyId id, ApiRequest request) {
  auto read = read_key_change(request.body);
  if (const auto* error = std::get_if<ApiError>(&read)) co_return to_response(*error);
  KeyChange wanted = std::get<KeyChange>(std::move(read));
  const std::optional<KeyView> key = co_await keys_.update(id, std::move(wanted));
  co_return changed("update", key, std::to_string(id));
}

}  // namespace proxyxai
