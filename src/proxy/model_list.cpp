#include "model_list.hpp"

#include <nlohmann/json.hpp>

namespace proxyxai {
namespace {

using nlohmann::ordered_json;

ordered_json parse_list(std::string_view body) {
  auto list = ordered_json::parse(body, nullptr, false);
  return list.is_object() && list.contains("data") && list["data"].is_array() ? list : ordered_json();
}

std::string id_of(const ordered_json& model) {
  return model.is_object() && model.contains("id") && model["id"].is_string() ? model["id"].get<std::string>() : std::string();
}

}  // namespace

bool is_filtered_list(const RequestContext& request) {
  if (request.endpoint != "models" || request.client.request().method() != "GET" || !request.path.ends_with("/models")) return false;
  return request.exchange.answered_status() == 200 && (!request.account->row.is_root || request.account->limits_models());
}

std::vector<std::string> tuned_models(std::string_view body) {
  std::vector<std::string> ids;
  if (body.find("\"ft:") == body.npos) return ids;
  const ordered_json list = parse_list(body);
  if (list.is_null()) return ids;
  for (const auto& each : list["data"]) {
    if (std::string id = id_of(each); id.starts_with("ft:")) ids.push_back(std::move(id));
  }
  return ids;
}

std::optional<std::string> filter_models(std::string_view body, const Account& account, const std::set<std::string>& hidden) {
  auto list = parse_list(body);
  if (list.is_null()) return std::nullopt;
  auto kept = ordered_json::array();
  for (auto& each : list["data"]) {
    const std::string id = id_of(each);
    if (!id.empty() && account.may_use_model(id) && !hidden.contains(id)) kept.push_back(std::move(each));
  }
  list["data"] = std::move(kept);
  return list.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace proxyxai
