#include "proxyxai/admin/config_api.hpp"

#include <algorithm>

#include <spdlog/spdlog.h>

#include "account_rows.hpp"
#include "json_body.hpp"
#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

constexpr std::string_view root_path = "/x-config";

}  // namespace

ConfigApi::ConfigApi(ConfigStore& store, std::vector<LiveSetting> settings) : store_(store) {
  for (LiveSetting& each : settings) entries_.push_back({std::move(each), std::nullopt});
}

ConfigApi::Entry* ConfigApi::find(std::string_view field) {
  const auto found = std::find_if(entries_.begin(), entries_.end(), [field](const Entry& each) { return each.setting.field == field; });
  return found == entries_.end() ? nullptr : &*found;
}

std::string ConfigApi::known_fields() const {
  std::string known;
  for (const Entry& each : entries_) known.append(known.empty() ? "" : ", ").append(each.setting.field);
  return known;
}

Task<void> ConfigApi::load() {
  std::vector<ConfigRow> stored = co_await store_.load_config();
  for (auto& [field, value] : stored) {
    Entry* const entry = find(field);
    if (entry == nullptr) continue;  // of another version
    try {
      entry->setting.check(value);
      entry->setting.apply(value);
      entry->set = std::move(value);
    } catch (const Failure& failure) {
      spdlog::error("the stored {} {}: the environment's counts; mend it with PUT /x-config", field, failure.what());
    }
  }
}

bool ConfigApi::owns(std::string_view path) const { return is_under(path, root_path); }

Task<ApiResponse> ConfigApi::handle(ApiRequest request, AccountPtr caller) {
  if (!caller->row.is_root) {
    co_return to_response({403, "resource_not_allowed", "The configuration belongs to the operator of the service.", {}, true});
  }
  if (request.path != root_path) co_return to_response({404, "not_found", "There is nothing below /x-config.", {}, true});
  if (request.method == "PUT" || request.method == "POST") co_return co_await change(request);
  if (request.method != "GET") co_return wrong_method("GET, PUT, POST");
  co_return to_answer(show());
}

nlohmann::ordered_json ConfigApi::show() const {
  nlohmann::ordered_json shown = nlohmann::ordered_json::object();
  for (const Entry& each : entries_) shown[each.setting.field] = each.value();
  return shown;
}

Task<ApiResponse> ConfigApi::change(ApiRequest request) {
  require_json(request.content_type);
  std::vector<ConfigChange> changes;
  const nlohmann::json body = read_object(request.body);
  for (const auto& [field, value] : body.items()) {
    const Entry* const entry = find(field);
    if (entry == nullptr) throw Refused({400, "unknown_field", "Unknown field " + field + ". Known: " + known_fields() + ".", field, true});
    std::optional<std::string> set;
    if (!value.is_null()) set = string_of(value, field);
    try {
      if (set) entry->setting.check(*set);
    } catch (const Failure& failure) {
      refuse_field(field, failure.what());
    }
    changes.push_back({field, std::move(set)});
  }
  co_await store_.put_config(changes);
  for (ConfigChange& each : changes) {
    Entry& entry = *find(each.name);
    entry.set = std::move(each.value);
    entry.setting.apply(entry.value());
    spdlog::info("root has set {} to '{}'", each.name, entry.value());
  }
  co_return to_answer({{"Action", "update"}, {"Config", show()}});
}

}  // namespace proxyxai
