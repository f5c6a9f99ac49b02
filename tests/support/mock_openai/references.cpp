#include "references.hpp"

#include <algorithm>
#include <array>

namespace mock {
namespace {

const Kind* kind_of(std::string_view member) {
  static const std::map<std::string_view, const Kind*> kinds{
      {"file_id", &kinds::file},
      {"file_ids", &kinds::file},
      {"input_file_id", &kinds::file},
      {"training_file", &kinds::file},
      {"validation_file", &kinds::file},
      {"vector_store_id", &kinds::vector_store},
      {"vector_store_ids", &kinds::vector_store},
      {"assistant_id", &kinds::assistant},
      {"container", &kinds::container},
      {"container_id", &kinds::container},
      {"conversation", &kinds::conversation},
  };
  const auto found = kinds.find(member);
  return found == kinds.end() ? nullptr : found->second;
}

/// What is the client's own business, whatever its members are called.
bool is_opaque(std::string_view member) {
  static constexpr std::array names{"metadata", "parameters", "schema", "arguments", "attributes"};
  return std::find(names.begin(), names.end(), member) != names.end();
}

/// An input item that says nothing itself. What is written out in full may have any id: so comes back what was never stored.
bool is_stored_item(const ordered_json& item) {
  const std::string type = text_of(item, "type");
  return type == "item_reference" || (type == "reasoning" && text_of(item, "encrypted_content").empty());
}

class Walk {
 public:
  explicit Walk(const Call& call) : call_(call) {}

  void object(const ordered_json& node, unsigned depth = 0) {
    // Tests send trees that would exhaust the stack.
    if (depth > 100) return;
    if (text_of(node, "type") == "file_id") get(call_.project, kinds::file, text_of(node, "id"), param_);
    for (const auto& [name, value] : node.items()) {
      if (is_opaque(name)) continue;
      if (&node == &call_.body) param_ = name;
      if (const Kind* const kind = kind_of(name)) ids(*kind, value);
      any(value, depth + 1);
    }
  }

 private:
  void any(const ordered_json& node, unsigned depth) {
    if (node.is_object()) object(node, depth);
    if (!node.is_array() || depth > 100) return;
    for (const ordered_json& each : node) any(each, depth + 1);
  }

  void ids(const Kind& kind, const ordered_json& value, unsigned depth = 0) {
    if (value.is_string()) get(call_.project, kind, value.get<std::string>(), kind.param == nullptr ? ordered_json(nullptr) : param_);
    if (value.is_object() && value.contains("id")) get(call_.project, kind, text_of(value, "id"));
    if (!value.is_array() || depth > 0) return;
    for (const ordered_json& each : value) ids(kind, each, 1);
  }

  const Call& call_;
  ordered_json param_;
};

}  // namespace

void check_references(const Call& call) {
  Walk(call).object(call.body);
  const std::string previous = text_of(call.body, "previous_response_id");
  if (!previous.empty() && call.project[kinds::response].find(previous) == nullptr) refuse_unknown(kinds::previous_response, previous);
  const ordered_json input = call.value("input");
  if (!input.is_array()) return;
  for (const ordered_json& each : input) {
    if (each.is_object() && is_stored_item(each)) get(call.project, kinds::item, text_of(each, "id"));
  }
}

}  // namespace mock
