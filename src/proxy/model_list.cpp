#include "model_list.hpp"

#include <nlohmann/json.hpp>

namespace proxyxai {
namespace {

bool may_use(const Account& account, const std::string& model) {
  for (const Account* each = &account; each != nullptr; each = each->parent.get()) {
    if (!each->access.allows_model(model)) return false;
  }
  return true;
}

}  // namespace

bool is_filtered_list(const RequestContext& request) {
  if (request.endpoint != "models" || request.client.request().method() != "GET" || !request.path.ends_with("/models")) return false;
  if (request.exchange.answered_status() != 200) return false;
  for (const Account* each = request.account.get(); each != nullptr; each = each->parent.get()) {
    if (each->access.limits_models()) return true;
  }
  return false;
}

std::optional<std::string> filter_models(std::string_view body, const Account& account) {
  auto list = nlohmann::ordered_json::parse(body, nullptr, false);
  if (!list.is_object() || !list.contains("data") || !list["data"].is_array()) return std::nullopt;
  auto kept = nlohmann::ordered_json::array();
  for (auto& each : list["data"]) {
    const bool named = each.is_object() && each.contains("id") && each["id"].is_string();
    if (named && may_use(account, each["id"].get<std::string>())) kept.push_back(std::move(each));
  }
  list["data"] = std::move(kept);
  return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace proxyxai
