#include "nouns.hpp"

namespace mock {
namespace {

Answer list(Call& call) {
  const std::string model = call.request.parameter("model");
  return call.list(call.project[kinds::completion],
                   {.ascending = true, .filter = [model](const Object& completion) { return model.empty() || text_of(completion.shown, "model") == model; }});
}

Answer update(Call& call, Object& completion) {
  call.update(completion, {"metadata"});
  return json_answer(completion.shown);
}

}  // namespace

void remember_completion(Call& call, ordered_json completion) {
  completion["metadata"] = call.value("metadata", ordered_json::object());
  Object& stored = call.project[kinds::completion].add(std::move(completion));
  for (const ordered_json& message : call.value("messages", ordered_json::array())) {
    ordered_json shown = {{"id", stored.id() + "-" + std::to_string(stored[kinds::message].size())}};
    if (message.is_object()) shown.update(message);
    stored[kinds::message].add(std::move(shown));
  }
}

Answer stored_completions(Call& call) {
  if (call.is("GET", "chat/completions")) return list(call);
  Object& completion = call.find(kinds::completion, 2);
  if (call.is("GET", "chat/completions/*")) return json_answer(completion.shown);
  if (call.is("POST", "chat/completions/*")) return update(call, completion);
  if (call.is("DELETE", "chat/completions/*")) return call.remove(call.project, kinds::completion, 2, "chat.completion.deleted");
  if (call.is("GET", "chat/completions/*/messages")) return call.list(completion[kinds::message], {.ascending = true});
  return call.unknown_url();
}

}  // namespace mock
