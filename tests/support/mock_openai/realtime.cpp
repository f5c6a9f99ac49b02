#include "realtime.hpp"

#include "events.hpp"
#include "usage.hpp"

namespace mock {
namespace {

/// The numbers of an event: its own, else the upgrade's, else `own`.
Figures figures_of(const Request& upgrade, const ordered_json& event, ordered_json own) {
  const auto found = event.find("mock_usage");
  return found != event.end() && found->is_object() ? Figures(*found, std::move(own)) : Figures(upgrade, std::move(own));
}

}  // namespace

Conversation::Conversation(Request upgrade, Answers& answers) : upgrade_(std::move(upgrade)), answers_(answers) {}

std::vector<std::string> Conversation::greeting() {
  if (upgrade_.path == "/v1/responses") return {};
  say("session.created", {{"session", {{"id", "sess_1"}, {"object", "realtime.session"}}}});
  return take();
}

std::vector<std::string> Conversation::reply_to(const std::string& text) {
  const ordered_json event = ordered_json::parse(text, nullptr, false);
  const std::string type = event.is_object() ? text_of(event, "type") : "";
  if (type == "response.create" && upgrade_.path == "/v1/responses") stream_response(text, event);
  else if (type == "response.create") respond(event);
  else if (type == "mock.transcription") transcribe(event);
  else out_.push_back(ordered_json{{"type", "mock.echo"}, {"event", event.is_discarded() ? ordered_json(text) : event}}.dump());
  return take();
}

void Conversation::say(const std::string& type, const ordered_json& members) {
  ordered_json event = {{"type", type}, {"event_id", "event_" + std::to_string(next_event_++)}};
  event.update(members);
  out_.push_back(event.dump());
}

void Conversation::respond(const ordered_json& event) {
  const std::string id = "resp_" + std::to_string(next_response_++);
  const auto response = [&id](const char* status) -> ordered_json {
    return {{"id", id}, {"object", "realtime.response"}, {"status", status}, {"output", ordered_json::array()}};
  };
  const std::uint64_t events = upgrade_.number("x-mock-events", 0);
  if (events > 0) say("response.created", {{"response", response("in_progress")}});
  for (std::uint64_t i = 0; i < events; ++i) {
    ordered_json delta = {{"response_id", id}, {"item_id", "item_1"}, {"output_index", 0}, {"content_index", 0}};
    delta["delta"] = word(i, upgrade_.number("x-mock-bytes", 0));
    obfuscate(delta, upgrade_, i);
    say("response.output_audio_transcript.delta", delta);
  }
  ordered_json done = response("completed");
  const Figures figures = figures_of(upgrade_, event, {{"input", 10}, {"output", events > 0 ? events : 20}});
  add_usage(done, upgrade_, realtime_usage(figures));
  plant(done, upgrade_);
  say("response.done", {{"response", done}});
}

void Conversation::transcribe(const ordered_json& event) {
  const Figures figures = figures_of(upgrade_, event, {{"input", 14}, {"output", 45}});
  ordered_json completed = {{"item_id", "item_1"}, {"content_index", 0}, {"transcript", "Hello"}};
  add_usage(completed, upgrade_, figures.asked("seconds") ? duration_usage(figures) : transcript_usage(figures));
  plant(completed, upgrade_);
  say("conversation.item.input_audio_transcription.completed", completed);
}

void Conversation::stream_response(const std::string& text, const ordered_json& event) {
  Request request = upgrade_;
  request.method = "POST";
  request.body = text;
  request.body_size = text.size();
  request.body_sha256 = sha256_hex(text);
  request.settle_seed();
  // The first header of a name counts.
  if (const auto found = event.find("mock_usage"); found != event.end()) request.headers.insert(request.headers.begin(), {"x-mock-usage", found->dump()});
  for (const ordered_json& each : answers_.say(request)) out_.push_back(each.dump());
}

}  // namespace mock
