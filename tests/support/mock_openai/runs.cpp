#include "events.hpp"
#include "nouns.hpp"
#include "references.hpp"
#include "usage.hpp"

namespace mock {
namespace {

constexpr std::int64_t lifetime_s = 600;

/// One run of an assistant over a thread, and the message and the step it comes to.
class Run {
 public:
  Run(const Request& request, Object& thread, Object& run) : request_(request), thread_(thread), run_(run) {}

  /// As it all ends: an answer in the thread, a step, the usage.
  void finish() {
    answer();
    Object& step = add_step();
    step.shown["status"] = "completed";
    step.shown["completed_at"] = now();
    step.shown["usage"] = usage();
    end();
  }

  /// As it stops: the client must call a function for it.
  void call_tool() {
    if (run_.shown["started_at"].is_null()) run_.shown["started_at"] = now();
    const ordered_json function = {{"name", "look_up"}, {"arguments", "{}"}};
    const ordered_json calls = ordered_json::array({{{"id", make_id("call_", 24)}, {"type", "function"}, {"function", function}}});
    run_.shown["required_action"] = {{"type", "submit_tool_outputs"}, {"submit_tool_outputs", {{"tool_calls", calls}}}};
    run_.enter("requires_action");
  }

  Answer stream(const Object* created) {
    if (created != nullptr) say("thread.created", created->shown);
    say("thread.run.created", run_.shown);
    say("thread.run.queued", run_.shown);
    begin();
    say("thread.run.in_progress", run_.shown);
    if (!request_.asks("x-mock-calls-tool")) return stream_rest();
    call_tool();
    say("thread.run.requires_action", run_.shown);
    events_.emplace_back("event: done\ndata: [DONE]\n\n");
    return stream_of(request_, std::move(events_));
  }

  /// From the end of the step in which it waited.
  Answer stream_on() {
    Object& waited = add_step();
    waited.shown["status"] = "completed";
    say("thread.run.step.completed", waited.shown);
    say("thread.run.queued", run_.shown);
    begin();
    say("thread.run.in_progress", run_.shown);
    return stream_rest();
  }

 private:
  Answer stream_rest() {
    const Object& message = answer();
    Object& step = add_step();
    say("thread.run.step.created", step.shown);
    say("thread.run.step.in_progress", step.shown);
    say_message(message);
    step.shown["status"] = "completed";
    step.shown["completed_at"] = now();
    step.shown["usage"] = usage();
    say("thread.run.step.completed", step.shown);
    end();
    say("thread.run.completed", run_.shown);
    events_.emplace_back("event: done\ndata: [DONE]\n\n");
    return stream_of(request_, std::move(events_));
  }

  [[nodiscard]] ordered_json usage() const {
    if (request_.asks("x-mock-no-usage")) return nullptr;
    return run_usage({request_, {{"input", request_.seed_size / 4}, {"output", request_.number("x-mock-events", 8)}}});
  }

  void begin() {
    run_.enter("in_progress");
    run_.shown["started_at"] = now();
  }

  void end() {
    if (run_.shown["started_at"].is_null()) run_.shown["started_at"] = now();
    run_.shown["expires_at"] = nullptr;
    run_.shown["usage"] = usage();
    run_.enter("completed");
  }

  Object& answer() {
    std::string text;
    for (std::uint64_t i = 0; i < request_.number("x-mock-events", 8); ++i) text += word(i, request_.number("x-mock-bytes", 0));
    Object& message = add_message(thread_, {{"role", "assistant"}, {"content", text}});
    message.shown["assistant_id"] = run_.shown["assistant_id"];
    message.shown["run_id"] = run_.id();
    message_id_ = message.id();
    return message;
  }

  Object& add_step() {
    return run_[kinds::step].add({{"id", make_id(kinds::step)},
                                  {"object", "thread.run.step"},
                                  {"created_at", now()},
                                  {"run_id", run_.id()},
                                  {"assistant_id", run_.shown["assistant_id"]},
                                  {"thread_id", thread_.id()},
                                  {"type", "message_creation"},
                                  {"status", "in_progress"},
                                  {"cancelled_at", nullptr},
                                  {"completed_at", nullptr},
                                  {"expired_at", nullptr},
                                  {"failed_at", nullptr},
                                  {"last_error", nullptr},
                                  {"step_details", {{"type", "message_creation"}, {"message_creation", {{"message_id", message_id_}}}}},
                                  {"usage", nullptr}});
  }

  void say_message(const Object& message) {
    ordered_json begun = message.shown;
    begun["status"] = "in_progress";
    begun["content"] = ordered_json::array();
    say("thread.message.created", begun);
    say("thread.message.in_progress", begun);
    for (std::uint64_t i = 0; i < request_.number("x-mock-events", 8); ++i) {
      const ordered_json part = {{"index", 0}, {"type", "text"}, {"text", {{"value", word(i, request_.number("x-mock-bytes", 0))}}}};
      say("thread.message.delta", {{"id", message.id()}, {"object", "thread.message.delta"}, {"delta", {{"content", ordered_json::array({part})}}}});
    }
    ordered_json ended = message.shown;
    ended["status"] = "completed";
    say("thread.message.completed", ended);
  }

  void say(const std::string& event, const ordered_json& data) { events_.push_back("event: " + event + "\n" + bare_event(data)); }

  const Request& request_;
  Object& thread_;
  Object& run_;
  std::string message_id_;
  std::vector<std::string> events_;
};

Answer shown(const Object& run) {
  Answer answer = json_answer(run.shown);
  answer.headers.emplace_back("openai-poll-after-ms", "20");
  return answer;
}

Answer retrieve(Object& run) {
  run.look();
  return shown(run);
}

/// The client has called the function: the run goes on.
Answer submit_tool_outputs(Call& call, Object& thread, Object& run) {
  run.proceed();
  if (run.status() != "requires_action") refuse(400, "Runs in status '" + run.status() + "' do not accept tool outputs.");
  const std::string wanted = text_of(run.shown["required_action"]["submit_tool_outputs"]["tool_calls"][0], "id");
  const ordered_json outputs = call.value("tool_outputs", ordered_json::array());
  const bool is_answered = outputs.size() == 1 && text_of(outputs[0], "tool_call_id") == wanted;
  if (!is_answered) refuse(400, "Expected tool outputs for call_ids ['" + wanted + "'].");
  run.shown["required_action"] = nullptr;
  run.enter("queued");
  if (is_true(call.body, "stream")) return Run(call.request, thread, run).stream_on();
  run.work.emplace(call.request, std::vector<std::string>{"queued", "in_progress"},
                   [request = call.request, &thread](Object& done) { Run(request, thread, done).finish(); });
  return shown(run);
}

Answer modify(Call& call, Object& run) {
  call.update(run, {"metadata"});
  return shown(run);
}

Answer cancel(Object& run) {
  run.proceed();
  if (!run.work) refuse(400, "Cannot cancel run with status '" + run.status() + "'.");
  run.work.reset();
  run.enter("cancelled");
  return shown(run);
}

}  // namespace

Answer begin_run(Call& call, Object& thread, const Object* created) {
  const Object& assistant = get(call.project, kinds::assistant, text_of(call.body, "assistant_id"));
  for (const ordered_json& message : call.value("additional_messages", ordered_json::array())) add_message(thread, message);
  const auto own_or = [&](const char* name) { return call.value(name, assistant.shown[name]); };
  Object& run = thread[kinds::run].add({{"id", make_id(kinds::run)},
                                        {"object", "thread.run"},
                                        {"created_at", now()},
                                        {"assistant_id", assistant.id()},
                                        {"thread_id", thread.id()},
                                        {"status", "queued"},
                                        {"started_at", nullptr},
                                        {"expires_at", now() + lifetime_s},
                                        {"cancelled_at", nullptr},
                                        {"failed_at", nullptr},
                                        {"completed_at", nullptr},
                                        {"required_action", nullptr},
                                        {"last_error", nullptr},
                                        {"model", own_or("model")},
                                        {"instructions", call.value("instructions", assistant.shown["instructions"].is_null() ? ordered_json("") : assistant.shown["instructions"])},
                                        {"tools", own_or("tools")},
                                        {"tool_resources", ordered_json::object()},
                                        {"metadata", call.value("metadata", ordered_json::object())},
                                        {"temperature", own_or("temperature")},
                                        {"top_p", own_or("top_p")},
                                        {"max_completion_tokens", call.value("max_completion_tokens")},
                                        {"max_prompt_tokens", call.value("max_prompt_tokens")},
                                        {"truncation_strategy", {{"type", "auto"}, {"last_messages", nullptr}}},
                                        {"incomplete_details", nullptr},
                                        {"usage", nullptr},
                                        {"response_format", own_or("response_format")},
                                        {"tool_choice", call.value("tool_choice", "auto")},
                                        {"parallel_tool_calls", call.value("parallel_tool_calls", true)}});
  if (is_true(call.body, "stream")) return Run(call.request, thread, run).stream(created);
  run.work.emplace(call.request, std::vector<std::string>{"queued", "in_progress"},
                   [request = call.request, &thread](Object& done) {
                     Run begun(request, thread, done);
                     if (request.asks("x-mock-calls-tool")) begun.call_tool();
                     else begun.finish();
                   });
  return shown(run);
}

Answer runs(Call& call, Object& thread) {
  if (call.is("POST", "threads/*/runs")) {
    check_references(call);
    return begin_run(call, thread);
  }
  if (call.is("GET", "threads/*/runs")) return call.list(thread[kinds::run]);
  if (call.request.path.find("/runs/") == call.request.path.npos) return call.unknown_url();
  Object& run = call.find(thread, kinds::run, 3);
  if (call.is("GET", "threads/*/runs/*")) return retrieve(run);
  if (call.is("POST", "threads/*/runs/*")) return modify(call, run);
  if (call.is("POST", "threads/*/runs/*/cancel")) return cancel(run);
  if (call.is("POST", "threads/*/runs/*/submit_tool_outputs")) return submit_tool_outputs(call, thread, run);
  if (call.is("GET", "threads/*/runs/*/steps")) return call.list(run[kinds::step]);
  if (call.is("GET", "threads/*/runs/*/steps/*")) return json_answer(call.find(run, kinds::step, 5).shown);
  return call.unknown_url();
}

}  // namespace mock
