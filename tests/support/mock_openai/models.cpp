#include "models.hpp"

namespace mock {
namespace {

ordered_json shown(const std::string& id) { return {{"id", id}, {"object", "model"}, {"created", 1'700'000'000}, {"owned_by", "openai"}}; }

}  // namespace

Answer models(Call& call, const std::vector<std::string>& all) {
  if (call.is("GET", "models")) {
    ordered_json list = ordered_json::array();
    for (const std::string& each : all) list.push_back(shown(each));
    for (const Object* const each : call.project[kinds::model].all()) list.push_back(each->shown);
    return json_answer({{"object", "list"}, {"data", list}});
  }
  if (call.is("DELETE", "models/*")) return call.remove(call.project, kinds::model, 1, "model");
  if (!call.is("GET", "models/*")) return call.unknown_url();
  for (const std::string& each : all) {
    if (each == call.step(1)) return json_answer(shown(each));
  }
  return json_answer(call.find(kinds::model, 1).shown);
}

void check_model(const Call& call) {
  std::string model = text_of(call.body, "model");
  if (!model.starts_with("ft:") || model.find(":org-mock:") == model.npos) return;
  if (const auto checkpoint = model.find(":ckpt-"); checkpoint != model.npos) model.resize(checkpoint);
  get(call.project, kinds::model, model);
}

}  // namespace mock
