#include "nouns.hpp"
#include "references.hpp"

namespace mock {
namespace {

std::string prefix_of(const ordered_json& item) {
  const std::string type = text_of(item, "type");
  if (type == "reasoning") return "rs_";
  return type == "function_call" || type == "function_call_output" ? "fc_" : "msg_";
}

/// Text alone is short for a message.
ordered_json whole_item(ordered_json item) {
  if (!item.contains("type")) item["type"] = "message";
  if (text_of(item, "type") == "message" && item.contains("content") && item["content"].is_string()) {
    const bool is_answer = text_of(item, "role") == "assistant";
    item["content"] = ordered_json::array({{{"type", is_answer ? "output_text" : "input_text"}, {"text", item["content"]}}});
  }
  if (!item.contains("status")) item["status"] = "completed";
  return item;
}

Answer add_items(Call& call, Object& conversation) {
  ordered_json data = ordered_json::array();
  for (const auto& item : make_items(call.project, call.value("items", ordered_json::array()))) {
    conversation[kinds::item].add(item);
    data.push_back(item->shown);
  }
  const auto id_of = [&data](std::size_t index) { return data.empty() ? ordered_json(nullptr) : data[index]["id"]; };
  return json_answer({{"object", "list"}, {"data", data}, {"first_id", id_of(0)}, {"last_id", id_of(data.size() - 1)}, {"has_more", false}});
}

Answer create(Call& call) {
  check_references(call);
  Object& conversation = call.project[kinds::conversation].add(
      {{"id", make_id(kinds::conversation)}, {"object", "conversation"}, {"created_at", now()}, {"metadata", call.value("metadata", ordered_json::object())}});
  add_items(call, conversation);
  return json_answer(conversation.shown);
}

Answer update(Call& call, Object& conversation) {
  call.update(conversation, {"metadata"});
  return json_answer(conversation.shown);
}

/// Unlike other deletions it answers with what the item was in.
Answer remove_item(Call& call, Object& conversation) {
  conversation[kinds::item].remove(call.find(conversation, kinds::item, 3).id());
  return json_answer(conversation.shown);
}

}  // namespace

std::vector<std::shared_ptr<Object>> make_items(Object& project, const ordered_json& input) {
  if (input.is_string()) return make_items(project, ordered_json::array({{{"role", "user"}, {"content", input}}}));
  std::vector<std::shared_ptr<Object>> items;
  for (const ordered_json& each : input) {
    if (!each.is_object()) continue;
    if (auto known = project[kinds::item].find(text_of(each, "id")); known != nullptr) {
      items.push_back(std::move(known));
      continue;
    }
    auto item = std::make_shared<Object>();
    item->shown = {{"id", text_of(each, "id").empty() ? make_id(prefix_of(each), kinds::item.tail) : text_of(each, "id")}};
    item->shown.update(whole_item(each));
    project[kinds::item].add(item);
    items.push_back(std::move(item));
  }
  return items;
}

Answer conversations(Call& call) {
  if (call.is("POST", "conversations")) return create(call);
  Object& conversation = call.find(kinds::conversation, 1);
  if (call.is("GET", "conversations/*")) return json_answer(conversation.shown);
  if (call.is("POST", "conversations/*")) return update(call, conversation);
  if (call.is("DELETE", "conversations/*")) return call.remove(call.project, kinds::conversation, 1, "conversation.deleted");
  if (call.is("POST", "conversations/*/items")) {
    check_references(call);
    return add_items(call, conversation);
  }
  if (call.is("GET", "conversations/*/items")) return call.list(conversation[kinds::item]);
  if (call.is("GET", "conversations/*/items/*")) return json_answer(call.find(conversation, kinds::item, 3).shown);
  if (call.is("DELETE", "conversations/*/items/*")) return remove_item(call, conversation);
  return call.unknown_url();
}

}  // namespace mock
