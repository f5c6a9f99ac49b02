#include "model_list.hpp"

#include <nlohmann/json.hpp>

namespace proxyxai {

bool is_filtered_list(const RequestContext& request) {
  if (request.endpoint != "models" || request.client.request().method() != "GET" || !request.path.ends_with("/models")) return false;
  return request.exchange.answered_status() == 200 && request.account->limits_models();
}

std::optional<std::string> filter_models(std::string_view body, const Account& account) {
  auto list = nlohmann::ordered_json::parse(body, nullptr, false);
  if (!list.is_object() || !list.contains("data") || !list["data"].is_array()) return std::nullopt;
  auto kept = nlohmann::ordered_json::array();
  for (auto& each : list["data"]) {
    const bool named = each.is_object() && each.contains("id") && each["id"].is_string();
    if (named && account.may_use_model(each["id"].get<std::string>())) kept.push_back(std::move(each));
  }
  list["data"] = std::move(kept);
  return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace proxyxai
