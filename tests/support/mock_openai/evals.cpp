#include "nouns.hpp"
#include "references.hpp"

namespace mock {
namespace {

Answer create(Call& call) {
  check_references(call);
  ordered_json criteria = call.value("testing_criteria", ordered_json::array());
  for (ordered_json& each : criteria) {
    if (each.is_object()) each["id"] = make_id("grader-", 24);
  }
  const Object& eval = call.project[kinds::eval].add({{"id", make_id(kinds::eval)},
                                                      {"object", "eval"},
                                                      {"data_source_config", call.value("data_source_config", ordered_json::object())},
                                                      {"testing_criteria", criteria},
                                                      {"name", call.value("name", "")},
                                                      {"created_at", now()},
                                                      {"metadata", call.value("metadata", ordered_json::object())}});
  return json_answer(eval.shown);
}

Answer update(Call& call, Object& eval) {
  call.update(eval, {"name", "metadata"});
  return json_answer(eval.shown);
}

/// Deletions here tell the id under a name of its own.
Answer remove(Call& call, Object& holder, const Kind& kind, std::size_t index, const char* object, const char* name) {
  const std::string id = call.find(holder, kind, index).id();
  holder[kind].remove(id);
  return json_answer({{"object", object}, {"deleted", true}, {name, id}});
}

void finish(Object& run, const Request& request) {
  const std::uint64_t input = request.seed_size / 4, output = request.number("x-mock-events", 8);
  run[kinds::output_item].add({{"id", make_id(kinds::output_item)},
                               {"object", "eval.run.output_item"},
                               {"created_at", now()},
                               {"run_id", run.id()},
                               {"eval_id", run.shown["eval_id"]},
                               {"status", "pass"},
                               {"datasource_item_id", 0},
                               {"datasource_item", ordered_json::object()},
                               {"results", ordered_json::array()},
                               {"sample", nullptr}});
  run.shown["result_counts"] = {{"total", 1}, {"errored", 0}, {"failed", 0}, {"passed", 1}};
  run.shown["per_model_usage"] = ordered_json::array({{{"model_name", run.shown["model"]},
                                                       {"invocation_count", 1},
                                                       {"prompt_tokens", input},
                                                       {"completion_tokens", output},
                                                       {"total_tokens", input + output},
                                                       {"cached_tokens", 0}}});
  run.shown["per_testing_criteria_results"] = ordered_json::array();
  run.enter("completed");
}

Answer create_run(Call& call, Object& eval) {
  check_references(call);
  const std::string id = make_id(kinds::eval_run);
  const ordered_json source = call.value("data_source", ordered_json::object());
  Object& run = eval[kinds::eval_run].add({{"id", id},
                                           {"object", "eval.run"},
                                           {"eval_id", eval.id()},
                                           {"report_url", "https://platform.openai.com/evaluations/" + eval.id() + "?run_id=" + id},
                                           {"status", "queued"},
                                           {"model", text_of(source, "model")},
                                           {"name", call.value("name", "")},
                                           {"created_at", now()},
                                           {"result_counts", {{"total", 0}, {"errored", 0}, {"failed", 0}, {"passed", 0}}},
                                           {"per_model_usage", nullptr},
                                           {"per_testing_criteria_results", nullptr},
                                           {"data_source", source},
                                           {"error", nullptr},
                                           {"metadata", call.value("metadata", ordered_json::object())}});
  run.work.emplace(call.request, std::vector<std::string>{"queued", "in_progress"}, [request = call.request](Object& done) { finish(done, request); });
  return json_answer(run.shown);
}

Answer retrieve_run(Object& run) {
  run.look();
  return json_answer(run.shown);
}

Answer cancel_run(Object& run) {
  run.proceed();
  if (!run.work) refuse(400, "Cannot cancel an eval run with status '" + run.status() + "'.");
  run.work.reset();
  run.enter("canceled");
  return json_answer(run.shown);
}

Answer eval_runs(Call& call, Object& eval) {
  if (call.is("POST", "evals/*/runs")) return create_run(call, eval);
  if (call.is("GET", "evals/*/runs")) return call.list(eval[kinds::eval_run], {.ascending = true});
  Object& run = call.find(eval, kinds::eval_run, 3);
  if (call.is("GET", "evals/*/runs/*")) return retrieve_run(run);
  if (call.is("POST", "evals/*/runs/*")) return cancel_run(run);
  if (call.is("DELETE", "evals/*/runs/*")) return remove(call, eval, kinds::eval_run, 3, "eval.run.deleted", "run_id");
  if (call.is("GET", "evals/*/runs/*/output_items")) return call.list(run[kinds::output_item], {.ascending = true});
  if (call.is("GET", "evals/*/runs/*/output_items/*")) return json_answer(call.find(run, kinds::output_item, 5).shown);
  return call.unknown_url();
}

}  // namespace

Answer evals(Call& call) {
  if (call.is("POST", "evals")) return create(call);
  if (call.is("GET", "evals")) return call.list(call.project[kinds::eval], {.ascending = true});
  Object& eval = call.find(kinds::eval, 1);
  if (call.is("GET", "evals/*")) return json_answer(eval.shown);
  if (call.is("POST", "evals/*")) return update(call, eval);
  if (call.is("DELETE", "evals/*")) return remove(call, call.project, kinds::eval, 1, "eval.deleted", "eval_id");
  if (call.request.path.find("/runs") != call.request.path.npos) return eval_runs(call, eval);
  return call.unknown_url();
}

}  // namespace mock
