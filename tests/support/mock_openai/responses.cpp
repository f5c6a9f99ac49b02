#include "responses.hpp"

#include "answers.hpp"
#include "events.hpp"
#include "usage.hpp"

namespace mock {
namespace {

constexpr std::int64_t created = 1'700'000'000;

Figures figures_of(const Request& request) {
  return {request, {{"input", request.seed_size / 4}, {"output", request.number("x-mock-events", 8)}}};
}

std::string item_id(const Request& request) { return "msg_" + request.seed.substr(32, 32); }

std::string whole_text(const Request& request) {
  std::string text;
  for (std::uint64_t i = 0; i < request.number("x-mock-events", 8); ++i) text += word(i, request.number("x-mock-bytes", 0));
  return text;
}

/// How the response ends: `completed`, or what `x-mock-status` says.
std::string final_status(const Request& request) {
  std::string status = request.header("x-mock-status");
  return status.empty() ? "completed" : status;
}

ordered_json text_part(const std::string& text) { return {{"type", "output_text"}, {"text", text}, {"annotations", ordered_json::array()}}; }

ordered_json message(const Request& request, const std::string& status, ordered_json content) {
  return {{"id", item_id(request)}, {"type", "message"}, {"status", status}, {"role", "assistant"}, {"content", std::move(content)}};
}

ordered_json response(const Request& request, const ordered_json& body, const std::string& status, ordered_json output) {
  ordered_json made = {{"id", "resp_" + request.seed.substr(0, 32)}, {"object", "response"}, {"created_at", created}, {"status", status}, {"error", nullptr}};
  if (status == "failed") made["error"] = {{"code", "server_error"}, {"message", "The model failed."}};
  made["incomplete_details"] = status == "incomplete" ? ordered_json{{"reason", "max_output_tokens"}} : ordered_json(nullptr);
  made["model"] = body.value("model", ordered_json());
  made["output"] = std::move(output);
  made["parallel_tool_calls"] = true;
  // Until it has ended, a response tells the tier that was asked for.
  made["service_tier"] = status == "in_progress" ? (body.contains("service_tier") ? body["service_tier"] : "auto") : ordered_json(tier_of(request, body));
  made["tool_choice"] = "auto";
  made["tools"] = ordered_json::array();
  made["usage"] = nullptr;
  if (status != "in_progress") add_usage(made, request, responses_usage(figures_of(request)));
  made["metadata"] = ordered_json::object();
  plant(made, request);
  return made;
}

/// Numbers events as upstream does.
class Sequence {
 public:
  void add(const std::string& type, const ordered_json& members) {
    ordered_json event = {{"type", type}, {"sequence_number", all_.size()}};
    event.update(members);
    all_.push_back(std::move(event));
  }
  std::vector<ordered_json> take() { return std::move(all_); }

 private:
  std::vector<ordered_json> all_;
};

}  // namespace

ordered_json response_of(const Request& request, const ordered_json& body) {
  const std::string status = final_status(request);
  ordered_json output = ordered_json::array({message(request, status, ordered_json::array({text_part(whole_text(request))}))});
  if (request.asks("x-mock-plant")) {
    output.push_back({{"id", "fc_1"}, {"type", "function_call"}, {"status", "completed"}, {"call_id", "call_1"}, {"name", "report"}, {"arguments", planted_text()}});
  }
  return response(request, body, status, std::move(output));
}

ordered_json compaction_of(const Request& request) {
  const ordered_json item = {{"id", "cmp_" + request.seed.substr(0, 32)}, {"type", "compaction"}, {"encrypted_content", base64(request.seed)}};
  ordered_json made = {{"id", "resp_" + request.seed.substr(0, 32)}, {"object", "response.compaction"}, {"created_at", created}, {"output", ordered_json::array({item})}};
  add_usage(made, request, responses_usage(figures_of(request)));
  plant(made, request);
  return made;
}

std::vector<ordered_json> response_events(const Request& request, const ordered_json& body) {
  const ordered_json at = {{"item_id", item_id(request)}, {"output_index", 0}, {"content_index", 0}};
  const auto with = [&at](const char* name, ordered_json value) {
    ordered_json event = at;
    event[name] = std::move(value);
    return event;
  };
  const ordered_json started = {{"response", response(request, body, "in_progress", ordered_json::array())}};
  Sequence events;
  events.add("response.created", started);
  events.add("response.in_progress", started);
  events.add("response.output_item.added", {{"output_index", 0}, {"item", message(request, "in_progress", ordered_json::array())}});
  events.add("response.content_part.added", with("part", text_part("")));
  for (std::uint64_t i = 0; i < request.number("x-mock-events", 8); ++i) {
    ordered_json delta = with("delta", word(i, request.number("x-mock-bytes", 0)));
    obfuscate(delta, request, i);
    events.add("response.output_text.delta", delta);
  }
  events.add("response.output_text.done", with("text", whole_text(request)));
  if (request.asks("x-mock-plant")) {
    events.add("response.function_call_arguments.done", {{"item_id", "fc_1"}, {"output_index", 1}, {"arguments", planted_text()}});
  }
  events.add("response." + final_status(request), {{"response", response_of(request, body)}});
  return events.take();
}

Answer Answers::responses(const Request& request, const ordered_json& body) const {
  if (request.path == "/v1/responses/input_tokens") {
    return json_answer({{"object", "response.input_tokens"}, {"input_tokens", figures_of(request)["input"]}});
  }
  if (is_true(body, "stream")) {
    std::vector<std::string> all;
    for (const ordered_json& each : response_events(request, body)) all.push_back(named_event(each));
    return stream_of(request, std::move(all));
  }
  return json_answer(request.path == "/v1/responses/compact" ? compaction_of(request) : response_of(request, body));
}

}  // namespace mock
