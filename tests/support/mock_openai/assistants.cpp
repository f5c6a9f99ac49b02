#include "nouns.hpp"
#include "references.hpp"

namespace mock {
namespace {

constexpr std::initializer_list<const char*> changeable{"model", "name", "description", "instructions", "tools", "tool_resources", "metadata", "temperature", "top_p", "response_format"};

Answer create(Call& call) {
  if (!call.body.contains("model")) refuse(400, "you must provide a model parameter");
  check_references(call);
  Object& assistant = call.project[kinds::assistant].add({{"id", make_id(kinds::assistant)},
                                                          {"object", "assistant"},
                                                          {"created_at", now()},
                                                          {"name", nullptr},
                                                          {"description", nullptr},
                                                          {"model", nullptr},
                                                          {"instructions", nullptr},
                                                          {"tools", ordered_json::array()},
                                                          {"tool_resources", ordered_json::object()},
                                                          {"metadata", ordered_json::object()},
                                                          {"temperature", 1.0},
                                                          {"top_p", 1.0},
                                                          {"response_format", "auto"}});
  call.update(assistant, changeable);
  return json_answer(assistant.shown);
}

Answer modify(Call& call) {
  check_references(call);
  Object& assistant = call.find(kinds::assistant, 1);
  call.update(assistant, changeable);
  return json_answer(assistant.shown);
}

}  // namespace

void need_beta(const Call& call) {
  if (call.request.header("openai-beta").find("assistants=v2") != std::string::npos) return;
  refuse(400, "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the header 'OpenAI-Beta: assistants=v2'.", nullptr, "invalid_beta");
}

Answer assistants(Call& call) {
  need_beta(call);
  if (call.is("POST", "assistants")) return create(call);
  if (call.is("GET", "assistants")) return call.list(call.project[kinds::assistant]);
  if (call.is("GET", "assistants/*")) return json_answer(call.find(kinds::assistant, 1).shown);
  if (call.is("POST", "assistants/*")) return modify(call);
  if (call.is("DELETE", "assistants/*")) return call.remove(call.project, kinds::assistant, 1, "assistant.deleted");
  return call.unknown_url();
}

}  // namespace mock
