#include <algorithm>

#include <nlohmann/json.hpp>

#include "proxyxai/http/query.hpp"
#include "proxyxai/proxy/locator.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {
namespace {

std::string_view method_of(const RequestContext& request) { return request.client.request().method(); }

}  // namespace

bool is_avoided(const RequestContext& request, KeyId key) {
  return std::find(request.avoided.begin(), request.avoided.end(), key) != request.avoided.end();
}

ApiError item_not_found() { return {404, "not_found", "An item that the request names was not found.", "input", true}; }

bool asks_for_list(const RequestContext& request) {
  return request.object && request.object->id.empty() && has_list(request.object->kind) && method_of(request) == "GET";
}

namespace {

/// What this program knows of: other paths could show what others keep upstream, or change it.
bool is_known_path(const RequestContext& request) {
  if (request.upgrade) return request.endpoint == "realtime" || request.endpoint == "responses";
  if (request.object) return !request.object->id.empty() || method_of(request) == "POST" || asks_for_list(request);
  static constexpr std::string_view endpoints[] = {"models", "completions", "embeddings", "moderations", "audio/speech", "audio/transcriptions",
                                                   "audio/translations", "images/generations", "images/edits", "images/variations"};
  if (std::find(std::begin(endpoints), std::end(endpoints), request.endpoint) != std::end(endpoints)) return true;
  static constexpr std::string_view calls[] = {"threads/runs", "responses/compact", "responses/input_tokens"};
  const std::string_view path = request.path.substr(request.path.starts_with("/v1/") ? 4 : 1);
  return method_of(request) == "POST" && std::find(std::begin(calls), std::end(calls), path) != std::end(calls);
}

/// As upstream says it, whoever's it is.
ApiError not_found(const ObjectName& name) {
  ApiError error{404, "not_found", {}, std::string(name.member.empty() ? "id" : name.member), true};
  const ObjectKind kind = kind_of(name.id);
  if (name.member == "previous_response_id") {
    error.code = "previous_response_not_found";
    error.message = "Previous response with id '" + name.id + "' not found.";
  } else if (kind == ObjectKind::model) {
    error.code = "model_not_found";
    error.message = "The model `" + name.id + "` does not exist or you do not have access to it.";
  } else {
    error.message = "No such " + std::string(facts_of(name.is_item ? ObjectKind::item : kind).noun) + " object: " + name.id;
  }
  return error;
}

constexpr std::size_t most_eval = 4 << 20;

/// Whether an eval takes its data from what upstream has stored for everybody, or cannot be told not to.
Task<bool> reads_everything(RequestBody& body) {
  if (body.size() == 0) co_return false;
  if (body.size() > most_eval) co_return true;
  std::string text;
  while (text.size() < body.size()) {
    const std::string_view piece = co_await body.load(text.size());
    if (piece.empty()) co_return true;
    text.append(piece);
  }
  bool found = false;
  const auto look = [&found](int /*depth*/, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    if (event != nlohmann::json::parse_event_t::object_end) return true;
    const auto type = parsed.find("type");
    if (type != parsed.end() && (*type == "stored_completions" || *type == "responses" || *type == "logs")) found = true;
    return true;
  };
  co_return nlohmann::json::parse(text, look, false).is_discarded() || found;
}

ApiError not_a_batch_file(const std::string& id) {
  return {400, "bad_batch_file", "'" + id + "' was not uploaded to this service as a batch's input: send it to /v1/files with purpose 'batch', each line a "
          "JSON object with a 'body', all for one model.", "input_file_id", true};
}

/// False: there are too many to avoid.
bool avoid(RequestContext& request, KeyId key) {
  if (is_avoided(request, key)) return true;
  if (request.avoided.size() == request.avoided.capacity()) return false;
  request.avoided.push_back(key);
  request.tried.push_back(key);
  return true;
}

ApiError apart(const ObjectName& one, const ObjectName& other) {
  return {409, "objects_apart",
          "'" + one.id + "' and '" + other.id + "' were made under different upstream keys and cannot be used together. Make one of them again: "
          "what an account makes goes to the key of what it made last, while that can be used.", std::string(other.member), true};
}

}  // namespace

bool Locator::concerns(const RequestContext& request) {
  const RequestFacts& facts = request.facts;
  if (!facts.objects.empty() || facts.store.value_or(false) || !request.query.empty()) return true;
  if (method_of(request) != "POST") return true;
  return request.path != "/v1/chat/completions" && request.path != "/chat/completions";
}

std::optional<ApiError> Locator::collect(const RequestContext& request, std::vector<ObjectName>& named) {
  if (request.object && !request.object->id.empty()) {
    named.push_back({std::string(request.object->id.substr(0, max_object_id)), "id", false});
  }
  for (const auto& [name, value] : parse_query(request.query)) {
    const Naming naming = naming_of(name);
    if (naming.kind == Naming::Kind::none || value.empty()) continue;
    if (naming.kind != Naming::Kind::object && shape_of(value) != IdShape::object) continue;
    named.push_back({value.substr(0, max_object_id), naming.member, false});
  }
  if (request.facts.has_more_objects) {
    return ApiError{400, "too_many_objects", "The request names more than " + std::to_string(max_objects) + " objects.", {}, true};
  }
  if (request.facts.batch && request.facts.purpose == "batch") {
    // Nobody looks at the lines again when the batch is made.
    if (request.facts.batch->has_more_objects) {
      return ApiError{400, "too_many_objects", "The lines name more than " + std::to_string(max_objects) + " objects.", "file", true};
    }
    named.insert(named.end(), request.facts.batch->objects.begin(), request.facts.batch->objects.end());
  }
  for (const ObjectName& each : request.facts.objects) {
    if (!each.is_item || request.keeps_items()) named.push_back(each);
  }
  if (const auto at = request.path.find("models/"); request.endpoint == "models" && at != request.path.npos) {
    const std::string model = percent_decode(request.path.substr(at + 7));
    if (method_of(request) == "DELETE" || model.starts_with("ft:")) named.push_back({model.substr(0, max_object_id), "model", false});
  }
  return std::nullopt;
}

std::optional<ApiError> Locator::bind(RequestContext& request, const std::vector<ObjectName>& named, const std::vector<ObjectDirectory::Found>& found) {
  const bool is_root = request.account->row.is_root;
  const ObjectName* holder = nullptr;  // whose key it is
  for (std::size_t i = 0; i < named.size(); ++i) {
    const ObjectName& name = named[i];
    if (!found[i].place) {
      if (!is_root && !name.is_item) return not_found(name);
      // Where it is another's, the keys that do not hold it say what they say of one that does not exist.
      const bool is_held = !is_root && found[i].is_anothers;
      if (is_held && !avoid(request, found[i].holder)) return not_found(name);
      continue;
    }
    const KeyId key = found[i].place->key;
    if (name.member == "input_file_id" && request.endpoint == "batches") {
      if (found[i].place->output == 0 && !is_root) return not_a_batch_file(name.id);
      request.input_bytes = found[i].place->bytes;
      request.batch_output = found[i].place->output;
      request.facts.model = found[i].place->model;
    }
    if (request.only_key && *request.only_key != key && !name.is_item && !holder->is_item) return apart(*holder, name);
    // An item may be written out in full as well: what has no other place goes first, and the newest item.
    if (request.only_key && name.is_item && !holder->is_item) continue;
    request.only_key = key;
    holder = &name;
  }
  if (request.only_key && is_avoided(request, *request.only_key)) return item_not_found();
  return std::nullopt;
}

Task<std::optional<ApiError>> Locator::locate(RequestContext& request) const {
  const bool is_root = request.account->row.is_root;
  request.object = read_object_path(request.path);
  if (!is_root && request.endpoint == "evals") {
    const bool is_operators = co_await reads_everything(request.body);
    if (is_operators) co_return ApiError{403, "resource_not_allowed", "A data source that reads what the whole project has stored is the operator's.", "data_source", true};
  }
  if (!is_root && !is_known_path(request)) {
    co_return ApiError{403, "resource_not_allowed", "This key may not use " + std::string(request.path) + ".", {}, true};
  }
  std::vector<ObjectName> named;
  if (auto refusal = collect(request, named)) co_return refusal;
  std::vector<std::string> ids;
  ids.reserve(named.size());
  for (const ObjectName& each : named) ids.push_back(each.id);
  std::vector<ObjectDirectory::Found> found;
  try {
    if (!ids.empty()) found = co_await objects_.find(request.account->row.dna, std::move(ids));
  } catch (const StorageError&) {
    co_return ApiError{503, "storage_unavailable", "The server cannot look up what this request names now. Try again later.", {}, false};
  }
  if (auto refusal = bind(request, named, found)) co_return refusal;
  bool goes_on = false;
  if (request.object && method_of(request) == "DELETE" && !request.object->goes_on) {
    std::string id(request.object->id);
    goes_on = co_await pending_.goes_on(std::move(id));
  }
  if (goes_on) {
    co_return ApiError{409, "still_in_progress", "'" + std::string(request.object->id) + "' is still in progress, or a run of it: cancel that, or wait for its end, before it is deleted.", "id", false};
  }
  const bool is_stored = request.facts.store.value_or(request.endpoint != "chat/completions");
  request.makes_objects = request.object || request.endpoint == "threads" || request.endpoint == "responses";
  if (request.endpoint == "chat/completions" && method_of(request) == "POST") request.makes_objects = is_stored;
  const bool is_making = method_of(request) == "POST" && request.makes_objects && is_stored && request.endpoint != "chat/completions";
  request.goes_home = !request.only_key && is_making;
  try {
    if (request.goes_home) co_await objects_.load_home(request.account->row.dna);
  } catch (const StorageError&) {
    // Any key will do.
    request.goes_home = false;
  }
  co_return std::nullopt;
}

}  // namespace proxyxai
