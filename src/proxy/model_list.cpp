#include "proxyxai/proxy/model_list.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include "proxyxai/storage/store.hpp"

namespace proxyxai {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_tuned = 100, most_model = 64 << 10;

std::string id_of(const ordered_json& model) {
  return model.is_object() && model.contains("id") && model["id"].is_string() ? model["id"].get<std::string>() : std::string();
}

bool is_tuned(std::string_view id) { return id.starts_with("ft:"); }

}  // namespace

bool ModelList::concerns(const RequestContext& request) {
  if (request.endpoint != "models" || request.client.request().method() != "GET" || !request.path.ends_with("/models")) return false;
  return request.exchange.answered_status() == 200 && !request.account->row.is_root;
}

Task<std::optional<std::string>> ModelList::made_of(RequestContext& request, std::string body) const {
  ObjectQuery query;
  query.of = request.account->row.dna;
  query.kind = static_cast<std::uint8_t>(ObjectKind::model);
  query.size = most_tuned;
  std::vector<ObjectRow> own;
  try {
    own = co_await parts_.objects.list(std::move(query));
  } catch (const StorageError& error) {
    spdlog::warn("the fine-tuned models of account {} are left out of a list: {}", request.account->row.name, error.what());
  }
  const bool has_tuned = body.find("\"ft:") != body.npos;
  if (own.empty() && !has_tuned && !request.account->limits_models()) co_return body;
  auto list = ordered_json::parse(body, nullptr, false);
  if (!list.is_object() || !list.contains("data") || !list["data"].is_array()) co_return std::nullopt;
  auto kept = ordered_json::array();
  for (auto& each : list["data"]) {
    const std::string id = id_of(each);
    if (!id.empty() && !is_tuned(id) && request.account->may_use_model(id)) kept.push_back(std::move(each));
  }
  for (const ObjectRow& each : own) {
    if (!request.account->may_use_model(each.id)) continue;
    std::string path = "/v1/models/" + each.id, fields;
    const UpstreamReader::Answer answer = co_await parts_.reader.get(each.key, std::move(path), std::move(fields), most_model);
    auto model = answer.status == 200 ? ordered_json::parse(answer.body, nullptr, false) : ordered_json();
    if (id_of(model) == each.id) kept.push_back(std::move(model));
  }
  list["data"] = std::move(kept);
  co_return list.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace proxyxai
