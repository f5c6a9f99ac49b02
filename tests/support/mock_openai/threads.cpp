#include "nouns.hpp"
#include "references.hpp"

namespace mock {
namespace {

/// Text as a message shows it.
ordered_json content_of(const ordered_json& content) {
  const auto part = [](const ordered_json& text) -> ordered_json { return {{"type", "text"}, {"text", {{"value", text}, {"annotations", ordered_json::array()}}}}; };
  if (content.is_string()) return ordered_json::array({part(content)});
  ordered_json parts = ordered_json::array();
  for (const ordered_json& each : content) parts.push_back(each.is_object() && text_of(each, "type") == "text" ? part(each.value("text", ordered_json(""))) : each);
  return parts;
}

Answer create(Call& call) {
  check_references(call);
  return json_answer(make_thread(call.project, call.body).shown);
}

Answer modify(Call& call, Object& object, std::initializer_list<const char*> members) {
  check_references(call);
  call.update(object, members);
  return json_answer(object.shown);
}

Answer create_message(Call& call, Object& thread) {
  check_references(call);
  return json_answer(add_message(thread, call.body).shown);
}

Answer list_messages(Call& call, Object& thread) {
  const std::string run = call.request.parameter("run_id");
  return call.list(thread[kinds::message], {.filter = [run](const Object& message) { return run.empty() || text_of(message.shown, "run_id") == run; }});
}

}  // namespace

Object& make_thread(Object& project, const ordered_json& body) {
  Object& thread = project[kinds::thread].add({{"id", make_id(kinds::thread)},
                                               {"object", "thread"},
                                               {"created_at", now()},
                                               {"metadata", body.value("metadata", ordered_json::object())},
                                               {"tool_resources", body.value("tool_resources", ordered_json::object())}});
  for (const ordered_json& message : body.value("messages", ordered_json::array())) add_message(thread, message);
  return thread;
}

Object& add_message(Object& thread, const ordered_json& body) {
  return thread[kinds::message].add({{"id", make_id(kinds::message)},
                                     {"object", "thread.message"},
                                     {"created_at", now()},
                                     {"assistant_id", nullptr},
                                     {"thread_id", thread.id()},
                                     {"run_id", nullptr},
                                     {"role", body.value("role", "user")},
                                     {"content", content_of(body.value("content", ordered_json("")))},
                                     {"attachments", body.value("attachments", ordered_json::array())},
                                     {"metadata", body.value("metadata", ordered_json::object())}});
}

Answer threads(Call& call) {
  need_beta(call);
  if (call.is("POST", "threads")) return create(call);
  if (call.is("POST", "threads/runs")) {
    check_references(call);
    Object& thread = make_thread(call.project, call.value("thread", ordered_json::object()));
    return begin_run(call, thread, &thread);
  }
  Object& thread = call.find(kinds::thread, 1);
  if (call.is("GET", "threads/*")) return json_answer(thread.shown);
  if (call.is("POST", "threads/*")) return modify(call, thread, {"metadata", "tool_resources"});
  if (call.is("DELETE", "threads/*")) return call.remove(call.project, kinds::thread, 1, "thread.deleted");
  if (call.is("POST", "threads/*/messages")) return create_message(call, thread);
  if (call.is("GET", "threads/*/messages")) return list_messages(call, thread);
  if (call.is("GET", "threads/*/messages/*")) return json_answer(call.find(thread, kinds::message, 3).shown);
  if (call.is("POST", "threads/*/messages/*")) return modify(call, call.find(thread, kinds::message, 3), {"metadata"});
  if (call.is("DELETE", "threads/*/messages/*")) return call.remove(thread, kinds::message, 3, "thread.message.deleted");
  return runs(call, thread);
}

}  // namespace mock
