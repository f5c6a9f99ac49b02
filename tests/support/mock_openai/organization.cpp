#include "organization.hpp"

#include <algorithm>
#include <chrono>

namespace mock {
namespace {

constexpr std::int64_t day_s = 86'400;
constexpr std::string_view usage_path = "/v1/organization/usage/", costs_path = "/v1/organization/costs";

std::int64_t today() { return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()).time_since_epoch().count(); }

std::string short_id(const std::string& key) { return sha256_hex(key).substr(0, 16); }

std::string kind_of(const std::string& path) {
  static const std::map<std::string, std::string> kinds{{"/v1/chat/completions", "completions"},
                                                        {"/v1/completions", "completions"},
                                                        {"/v1/responses", "completions"},
                                                        {"/v1/embeddings", "embeddings"},
                                                        {"/v1/moderations", "moderations"},
                                                        {"/v1/audio/speech", "audio_speeches"},
                                                        {"/v1/audio/transcriptions", "audio_transcriptions"},
                                                        {"/v1/audio/translations", "audio_transcriptions"}};
  if (path.starts_with("/v1/images/")) return "images";
  const auto found = kinds.find(path);
  return found == kinds.end() ? std::string() : found->second;
}

std::string dated(const std::string& model) {
  static const std::map<std::string, std::string> dates{{"gpt-4o", "-2024-08-06"}, {"gpt-4o-mini", "-2024-07-18"}};
  const auto found = dates.find(model);
  return found == dates.end() ? model : model + found->second;
}

/// Dollars for a million tokens: plain input, cached input, output.
struct Prices {
  double input = 0, cached = 0, output = 0;
};
Prices prices_of(const std::string& model) {
  static const std::map<std::string, Prices> known{
      {"gpt-4o-2024-08-06", {2.5, 1.25, 10}}, {"gpt-4o-mini-2024-07-18", {0.15, 0.075, 0.6}}, {"text-embedding-3-small", {0.02, 0, 0}}};
  const auto found = known.find(model);
  return found == known.end() ? Prices{} : found->second;
}

/// The values of a query's parameter.
std::vector<std::string> values_in(const Request& request, const std::string& name) {
  std::vector<std::string> values;
  std::string_view rest = request.query;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    if (pair.starts_with(name + "=")) values.emplace_back(pair.substr(name.size() + 1));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
  }
  return values;
}

std::int64_t number_in(const Request& request, const std::string& name, std::int64_t otherwise) {
  const auto values = values_in(request, name);
  return values.empty() ? otherwise : std::strtoll(values[0].c_str(), nullptr, 10);
}

/// Whether a filter that is given names `id`.
bool passes(const Request& request, const std::string& filter, const std::string& id) {
  const auto wanted = values_in(request, filter);
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), id) != wanted.end();
}

std::int64_t count(const ordered_json& usage, const char* name, const char* other) {
  for (const char* const each : {name, other}) {
    const auto found = usage.find(each);
    if (found == usage.end() || !found->is_number_integer()) continue;
    // Tests make up numbers that no sum could hold.
    const auto told = found->get<std::int64_t>();
    return told >= 0 && told < std::int64_t{1} << 40 ? told : 0;
  }
  return 0;
}

}  // namespace

Answer Organization::answer(const Request& request, Answers& answers) {
  const bool is_books = request.path == costs_path || request.path.starts_with(usage_path);
  if (!is_books) return noted(request, answers.answer(request));
  if (request.key.starts_with("sk-admin-")) return pages(request);
  return error_answer(403, "invalid_request_error", nullptr, "You have insufficient permissions for this operation. Missing scopes: api.usage.read.");
}

Answer Organization::noted(const Request& request, Answer answer) {
  if (answer.status != 200 || kind_of(request.path).empty()) return answer;
  if (!answer.next_piece) {
    note(request, ordered_json::parse(answer.body, nullptr, false));
    return answer;
  }
  answer.next_piece = [this, request, next = std::move(answer.next_piece)]() -> std::optional<std::string> {
    auto piece = next();
    const auto begin = piece ? piece->find("data: {") : std::string::npos;
    if (begin == std::string::npos) return piece;
    const ordered_json event = ordered_json::parse(piece->substr(begin + 6), nullptr, false);
    if (!event.is_object()) return piece;
    note(request, event.contains("response") ? event["response"] : event);
    return piece;
  };
  return answer;
}

void Organization::note(const Request& request, const ordered_json& told) {
  if (!told.is_object() || !told.contains("usage") || !told["usage"].is_object()) return;
  const ordered_json& usage = told["usage"];
  const auto details = usage.contains("prompt_tokens_details") ? usage["prompt_tokens_details"] : usage.value("input_tokens_details", ordered_json::object());
  const std::string model = told.contains("model") ? text_of(told, "model") : text_of(ordered_json::parse(request.body, nullptr, false), "model");
  Used& used = books_[{kind_of(request.path), today(), short_id(request.key), dated(model)}];
  ++used.requests;
  used.input += count(usage, "prompt_tokens", "input_tokens");
  used.output += count(usage, "completion_tokens", "output_tokens");
  used.cached += count(details, "cached_tokens", "cached_tokens");
}

Answer Organization::pages(const Request& request) const {
  const std::int64_t first = number_in(request, "start_time", 0) / day_s;
  const std::int64_t end = (number_in(request, "end_time", (today() + 1) * day_s) + day_s - 1) / day_s;
  const std::int64_t limit = number_in(request, "limit", 7), skipped = number_in(request, "page", 0) * limit;
  if (first == 0 || limit < 1 || limit > (request.path == costs_path ? 180 : 31)) {
    return error_answer(400, "invalid_request_error", "invalid_value", "start_time or limit is missing or out of range");
  }
  ordered_json buckets = ordered_json::array();
  for (std::int64_t day = first + skipped; day < std::min(end, first + skipped + limit); ++day) {
    const bool is_costs = request.path == costs_path;
    ordered_json found = is_costs ? costs(request, day) : results(request, request.path.substr(usage_path.size()), day);
    buckets.push_back({{"object", "bucket"}, {"start_time", day * day_s}, {"end_time", (day + 1) * day_s}, {"results", std::move(found)}});
  }
  const bool has_more = first + skipped + limit < end;
  const ordered_json next = has_more ? ordered_json(std::to_string(skipped / limit + 1)) : ordered_json(nullptr);
  return json_answer({{"object", "page"}, {"data", std::move(buckets)}, {"has_more", has_more}, {"next_page", next}});
}

ordered_json Organization::results(const Request& request, const std::string& kind, std::int64_t day) const {
  const auto groups = values_in(request, "group_by");
  const bool by_model = std::find(groups.begin(), groups.end(), "model") != groups.end();
  std::map<std::string, Used> by_name;
  for (const auto& [entry, used] : books_) {
    if (entry.kind != kind || entry.day != day || !passes(request, "api_key_ids", "key_" + entry.key) || !passes(request, "project_ids", "proj_" + entry.key)) continue;
    Used& sum = by_name[by_model ? entry.model : ""];
    sum.requests += used.requests;
    sum.input += used.input;
    sum.cached += used.cached;
    sum.output += used.output;
  }
  ordered_json list = ordered_json::array();
  for (const auto& [model, used] : by_name) {
    ordered_json result = {{"object", "organization.usage." + kind + ".result"}, {"input_tokens", used.input}};
    if (kind == "completions") {
      result["output_tokens"] = used.output;
      result["input_cached_tokens"] = used.cached;
    }
    result["num_model_requests"] = used.requests;
    result["project_id"] = result["user_id"] = result["api_key_id"] = nullptr;
    result["model"] = by_model ? ordered_json(model) : ordered_json(nullptr);
    list.push_back(std::move(result));
  }
  return list;
}

ordered_json Organization::costs(const Request& request, std::int64_t day) const {
  double dollars = 0;
  bool is_used = false;
  for (const auto& [entry, used] : books_) {
    if (entry.day != day || !passes(request, "project_ids", "proj_" + entry.key)) continue;
    const Prices prices = prices_of(entry.model);
    dollars += (static_cast<double>(used.input - used.cached) * prices.input + static_cast<double>(used.cached) * prices.cached +
                static_cast<double>(used.output) * prices.output) / 1e6;
    is_used = true;
  }
  if (!is_used) return ordered_json::array();
  const ordered_json amount = {{"value", dollars}, {"currency", "usd"}};
  return ordered_json::array({{{"object", "organization.costs.result"}, {"amount", amount}, {"line_item", nullptr}, {"project_id", nullptr}}});
}

}  // namespace mock
