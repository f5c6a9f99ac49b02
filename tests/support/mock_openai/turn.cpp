#include "turn.hpp"

#include <algorithm>

#include "events.hpp"
#include "object.hpp"
#include "usage.hpp"

namespace mock {
namespace {

constexpr std::int64_t created = 1'700'000'000;

std::string whole_text(const Request& request) {
  std::string text;
  for (std::uint64_t i = 0; i < request.number("x-mock-events", 8); ++i) text += word(i, request.number("x-mock-bytes", 0));
  return text;
}

/// How the response ends: `completed`, or what `x-mock-status` says.
std::string final_status(const Request& request) {
  const std::string status = request.header("x-mock-status");
  return status.empty() ? "completed" : status;
}

ordered_json text_part(const std::string& text) { return {{"type", "output_text"}, {"text", text}, {"annotations", ordered_json::array()}}; }

/// A member of the body as the response repeats it.
ordered_json echo(const ordered_json& body, const char* name, const ordered_json& otherwise = nullptr) {
  const auto found = body.find(name);
  return found == body.end() || found->is_null() ? otherwise : *found;
}

/// Numbers events as upstream does.
class Sequence {
 public:
  void add(const std::string& type, const ordered_json& members) {
    ordered_json event = {{"type", type}, {"sequence_number", all_.size()}};
    event.update(members);
    all_.push_back(std::move(event));
  }
  void add_item(std::uint64_t index, const ordered_json& item) {
    add("response.output_item.added", {{"output_index", index}, {"item", item}});
    add("response.output_item.done", {{"output_index", index}, {"item", item}});
  }
  std::vector<ordered_json> take() { return std::move(all_); }

 private:
  std::vector<ordered_json> all_;
};

}  // namespace

Turn::Turn(const Request& request, const ordered_json& body, std::uint64_t context)
    : request_(request), body_(body), context_(context), is_stored_(!body.contains("store") || body["store"] != false) {
  if (is_stored_) {
    id_ = make_id(kinds::response);
    message_id_ = make_id(kinds::item);
    reasoning_id_ = make_id("rs_", kinds::item.tail);
    call_id_ = make_id("fc_", kinds::item.tail);
  } else {
    id_ = "resp_" + request.seed.substr(0, 32);
    message_id_ = "msg_" + request.seed.substr(32, 32);
    reasoning_id_ = "rs_" + request.seed.substr(16, 32);
    call_id_ = "fc_" + request.seed.substr(8, 32);
  }
}

ordered_json Turn::begun(const std::string& status) const { return response(status, ordered_json::array()); }

ordered_json Turn::ended() const { return response(final_status(request_), output()); }

ordered_json Turn::response(const std::string& status, ordered_json output) const {
  const bool is_over = status != "queued" && status != "in_progress";
  ordered_json made = {{"id", id_}, {"object", "response"}, {"created_at", is_stored_ ? now() : created}, {"status", status}, {"error", nullptr}};
  if (status == "failed") made["error"] = {{"code", "server_error"}, {"message", "The model failed."}};
  made["background"] = is_in_background();
  if (const ordered_json conversation = echo(body_, "conversation"); !conversation.is_null()) {
    made["conversation"] = conversation.is_string() ? ordered_json{{"id", conversation}} : conversation;
  }
  made["incomplete_details"] = status == "incomplete" ? ordered_json{{"reason", "max_output_tokens"}} : ordered_json(nullptr);
  made["instructions"] = echo(body_, "instructions");
  made["model"] = body_.value("model", ordered_json());
  made["output"] = std::move(output);
  made["parallel_tool_calls"] = true;
  made["previous_response_id"] = echo(body_, "previous_response_id");
  // Until it has ended, a response tells the tier that was asked for.
  made["service_tier"] = is_over ? ordered_json(tier_of(request_, body_)) : body_.value("service_tier", ordered_json("auto"));
  made["store"] = is_stored_;
  made["tool_choice"] = echo(body_, "tool_choice", "auto");
  made["tools"] = echo(body_, "tools", ordered_json::array());
  made["usage"] = nullptr;
  if (is_over) add_usage(made, request_, usage());
  made["metadata"] = echo(body_, "metadata", ordered_json::object());
  plant(made, request_);
  return made;
}

ordered_json Turn::usage() const { return responses_usage({request_, {{"input", input_tokens()}, {"output", request_.number("x-mock-events", 8)}}}); }

ordered_json Turn::message(const std::string& status, ordered_json content) const {
  return {{"id", message_id_}, {"type", "message"}, {"status", status}, {"role", "assistant"}, {"content", std::move(content)}};
}

ordered_json Turn::reasoning() const {
  ordered_json item = {{"id", reasoning_id_}, {"type", "reasoning"}, {"summary", ordered_json::array()}};
  const ordered_json include = echo(body_, "include", ordered_json::array());
  if (std::find(include.begin(), include.end(), "reasoning.encrypted_content") != include.end()) item["encrypted_content"] = base64(request_.seed);
  return item;
}

const ordered_json* Turn::called() const {
  if (!body_.contains("tools") || !body_["tools"].is_array() || echo(body_, "tool_choice") != "required") return nullptr;
  for (const ordered_json& tool : body_["tools"]) {
    if (tool.is_object() && text_of(tool, "type") == "function") return &tool;
  }
  return nullptr;
}

ordered_json Turn::call() const {
  return {{"id", call_id_}, {"type", "function_call"}, {"status", "completed"}, {"call_id", "call_1"}, {"name", text_of(*called(), "name")}, {"arguments", "{}"}};
}

ordered_json Turn::output() const {
  ordered_json items = ordered_json::array();
  if (reasons()) items.push_back(reasoning());
  items.push_back(message(final_status(request_), ordered_json::array({text_part(whole_text(request_))})));
  if (called() != nullptr) items.push_back(call());
  if (request_.asks("x-mock-plant")) {
    items.push_back({{"id", "fc_1"}, {"type", "function_call"}, {"status", "completed"}, {"call_id", "call_1"}, {"name", "report"}, {"arguments", planted_text()}});
  }
  return items;
}

std::vector<ordered_json> Turn::events() const {
  const std::uint64_t index = reasons() ? 1 : 0;
  const ordered_json at = {{"item_id", message_id_}, {"output_index", index}, {"content_index", 0}};
  const auto with = [&at](const char* name, ordered_json value) {
    ordered_json event = at;
    event[name] = std::move(value);
    return event;
  };
  Sequence events;
  events.add("response.created", {{"response", begun(is_in_background() ? "queued" : "in_progress")}});
  if (is_in_background()) events.add("response.queued", {{"response", begun("queued")}});
  events.add("response.in_progress", {{"response", begun("in_progress")}});
  if (reasons()) events.add_item(0, reasoning());
  events.add("response.output_item.added", {{"output_index", index}, {"item", message("in_progress", ordered_json::array())}});
  events.add("response.content_part.added", with("part", text_part("")));
  for (std::uint64_t i = 0; i < request_.number("x-mock-events", 8); ++i) {
    ordered_json delta = with("delta", word(i, request_.number("x-mock-bytes", 0)));
    obfuscate(delta, request_, i);
    events.add("response.output_text.delta", delta);
  }
  events.add("response.output_text.done", with("text", whole_text(request_)));
  if (called() != nullptr) events.add_item(index + 1, call());
  if (request_.asks("x-mock-plant")) {
    events.add("response.function_call_arguments.done", {{"item_id", "fc_1"}, {"output_index", 1}, {"arguments", planted_text()}});
  }
  events.add("response." + final_status(request_), {{"response", ended()}});
  return events.take();
}

ordered_json Turn::compaction() const {
  const ordered_json item = {{"id", "cmp_" + request_.seed.substr(0, 32)}, {"type", "compaction"}, {"encrypted_content", base64(request_.seed)}};
  ordered_json made = {{"id", "resp_" + request_.seed.substr(0, 32)}, {"object", "response.compaction"}, {"created_at", created}, {"output", ordered_json::array({item})}};
  add_usage(made, request_, usage());
  plant(made, request_);
  return made;
}

}  // namespace mock
