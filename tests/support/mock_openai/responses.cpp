#include "events.hpp"
#include "nouns.hpp"
#include "references.hpp"
#include "turn.hpp"
#include "usage.hpp"

namespace mock {
namespace {

/// What the model has to read again of the turns before.
std::uint64_t context_of(const Call& call) {
  const auto previous = call.project[kinds::response].find(text_of(call.body, "previous_response_id"));
  if (previous == nullptr || !previous->shown.contains("usage") || !previous->shown["usage"].is_object()) return 0;
  const ordered_json& total = previous->shown["usage"]["total_tokens"];
  return total.is_number_unsigned() ? total.get<std::uint64_t>() : 0;
}

Object* conversation_of(const Call& call) {
  const ordered_json conversation = call.value("conversation");
  if (conversation.is_null()) return nullptr;
  return call.project[kinds::conversation].find(conversation.is_string() ? conversation.get<std::string>() : text_of(conversation, "id")).get();
}

/// From now on what it says can be referred to.
void publish(const Object& response, Object& project, Object* conversation) {
  for (const auto& item : make_items(project, response.shown["output"])) {
    if (conversation != nullptr) (*conversation)[kinds::item].add(item);
  }
}

/// Keeps a turn as upstream does, ended or under way.
std::shared_ptr<Object> remember(const Call& call, const Turn& turn) {
  auto response = std::make_shared<Object>();
  Object* const conversation = conversation_of(call);
  response->shown = turn.is_in_background() ? turn.begun("queued") : turn.ended();
  for (const auto& item : make_items(call.project, call.value("input", ordered_json::array()))) {
    (*response)[kinds::item].add(item);
    if (conversation != nullptr) (*conversation)[kinds::item].add(item);
  }
  call.project[kinds::response].add(response);
  if (!turn.is_in_background()) {
    publish(*response, call.project, conversation);
    return response;
  }
  response->told = turn.events();
  const std::string conversation_id = conversation == nullptr ? "" : conversation->id();
  response->work.emplace(call.request, std::vector<std::string>{"queued", "in_progress"}, [&project = call.project, conversation_id, ended = turn.ended()](Object& done) {
    done.shown = ended;
    publish(done, project, project[kinds::conversation].find(conversation_id).get());
  });
  return response;
}

/// The events after a number. Whoever has seen the last one will find the response done.
Answer tell(const Request& request, const std::shared_ptr<Object>& response, std::int64_t after) {
  std::vector<std::string> events;
  for (const ordered_json& event : response->told) {
    if (event["sequence_number"].get<std::int64_t>() > after) events.push_back(named_event(event));
  }
  std::size_t left = events.size();
  Answer answer = stream_of(request, std::move(events));
  answer.next_piece = [response, left, next = std::move(answer.next_piece)]() mutable {
    if (left > 0 && --left == 0) response->finish();
    return next();
  };
  return answer;
}

void check(const Call& call) {
  check_references(call);
  const bool has_both = !call.value("conversation").is_null() && !call.value("previous_response_id").is_null();
  if (has_both) refuse(400, "Mutually exclusive parameters: 'previous_response_id' and 'conversation'.", nullptr, "mutually_exclusive_parameters");
  if (is_true(call.body, "background") && call.value("store") == false) refuse(400, "Background mode requires 'store' to be true.", "background");
}

Answer retrieve(Call& call) {
  const auto response = call.project[kinds::response].find(call.step(1));
  if (response == nullptr) refuse_unknown(kinds::response, call.step(1));
  if (call.request.parameter("stream") == "true") {
    if (response->told.empty()) refuse(400, "This response cannot be streamed because it was not created with background=true.", "stream");
    const std::string after = call.request.parameter("starting_after");
    return tell(call.request, response, after.empty() ? -1 : std::strtoll(after.c_str(), nullptr, 10));
  }
  response->look();
  return json_answer(response->shown);
}

Answer cancel(Call& call) {
  Object& response = call.find(kinds::response, 1);
  if (!is_true(response.shown, "background")) refuse(400, "Cannot cancel a synchronous response.");
  response.proceed();
  if (response.work) {
    response.work.reset();
    response.enter("cancelled");
  }
  return json_answer(response.shown);
}

}  // namespace

Answer create_response(Call& call) {
  check(call);
  const Turn turn(call.request, call.body, context_of(call));
  if (call.is("POST", "responses/input_tokens")) {
    return json_answer({{"object", "response.input_tokens"}, {"input_tokens", Figures(call.request, {{"input", turn.input_tokens()}})["input"]}});
  }
  if (call.is("POST", "responses/compact") && !is_true(call.body, "stream")) return json_answer(turn.compaction());
  const auto response = turn.is_stored() ? remember(call, turn) : nullptr;
  if (is_true(call.body, "stream")) {
    if (turn.is_in_background()) return tell(call.request, response, -1);
    std::vector<std::string> events;
    for (const ordered_json& each : turn.events()) events.push_back(named_event(each));
    return stream_of(call.request, std::move(events));
  }
  return json_answer(response == nullptr ? turn.ended() : response->shown);
}

std::vector<ordered_json> response_events(Call& call) {
  check(call);
  const Turn turn(call.request, call.body, context_of(call));
  if (turn.is_stored()) remember(call, turn);
  return turn.events();
}

Answer stored_responses(Call& call) {
  if (call.is("GET", "responses/*")) return retrieve(call);
  if (call.is("DELETE", "responses/*")) return call.remove(call.project, kinds::response, 1, "response");
  if (call.is("POST", "responses/*/cancel")) return cancel(call);
  if (call.is("GET", "responses/*/input_items")) return call.list(call.find(kinds::response, 1)[kinds::item]);
  return call.unknown_url();
}

}  // namespace mock
