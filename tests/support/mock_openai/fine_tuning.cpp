#include "nouns.hpp"
#include "references.hpp"

namespace mock {
namespace {

void tell(Object& job, const std::string& message) {
  job[kinds::job_event].add({{"id", make_id(kinds::job_event)},
                             {"object", "fine_tuning.job.event"},
                             {"created_at", now()},
                             {"level", "info"},
                             {"message", message},
                             {"type", "message"},
                             {"data", ordered_json::object()}});
}

void finish(Object& job, Object& project) {
  const std::string model = "ft:" + text_of(job.shown, "model") + ":org-mock:" + text_of(job.shown, "user_provided_suffix") + ":" + make_id("", kinds::model.tail);
  project[kinds::model].add({{"id", model}, {"object", "model"}, {"created", now()}, {"owned_by", "org-mock"}});
  job.shown["fine_tuned_model"] = model;
  job.shown["trained_tokens"] = 1'000;
  job.shown["finished_at"] = now();
  job.shown["result_files"] = ordered_json::array({make_file(project, "step_metrics.csv", "fine-tune-results", "step,train_loss\n1,0.5\n").id()});
  job[kinds::checkpoint].add({{"id", make_id(kinds::checkpoint)},
                              {"object", "fine_tuning.job.checkpoint"},
                              {"created_at", now()},
                              {"fine_tuned_model_checkpoint", model + ":ckpt-step-1"},
                              {"fine_tuning_job_id", job.id()},
                              {"metrics", {{"step", 1}, {"train_loss", 0.5}}},
                              {"step_number", 1}});
  job.enter("succeeded");
  tell(job, "The job has successfully completed");
}

Answer create(Call& call) {
  if (!call.body.contains("model") || !call.body.contains("training_file")) refuse(400, "you must provide a model parameter and a training_file");
  check_references(call);
  Object& job = call.project[kinds::job].add({{"id", make_id(kinds::job)},
                                              {"object", "fine_tuning.job"},
                                              {"model", call.body["model"]},
                                              {"created_at", now()},
                                              {"finished_at", nullptr},
                                              {"fine_tuned_model", nullptr},
                                              {"organization_id", "org-mock"},
                                              {"result_files", ordered_json::array()},
                                              {"status", "validating_files"},
                                              {"validation_file", call.value("validation_file")},
                                              {"training_file", call.body["training_file"]},
                                              {"hyperparameters", {{"n_epochs", "auto"}, {"batch_size", "auto"}, {"learning_rate_multiplier", "auto"}}},
                                              {"trained_tokens", nullptr},
                                              {"error", ordered_json::object()},
                                              {"user_provided_suffix", call.value("suffix")},
                                              {"seed", call.value("seed", 42)},
                                              {"estimated_finish", nullptr},
                                              {"integrations", ordered_json::array()},
                                              {"metadata", call.value("metadata")},
                                              {"method", call.value("method", ordered_json{{"type", "supervised"}})}});
  tell(job, "Created fine-tuning job: " + job.id());
  job.work.emplace(call.request, std::vector<std::string>{"validating_files", "queued", "running"}, [&project = call.project](Object& done) { finish(done, project); });
  return json_answer(job.shown);
}

Answer cancel(Call& call) {
  Object& job = call.find(kinds::job, 2);
  job.proceed();
  if (!job.work) refuse(400, "Job has already completed: " + job.id(), nullptr, "invalid_job_state");
  job.work.reset();
  job.enter("cancelled");
  job.shown["finished_at"] = now();
  tell(job, "The job was cancelled");
  return json_answer(job.shown);
}

Answer retrieve(Call& call) {
  Object& job = call.find(kinds::job, 2);
  job.look();
  return json_answer(job.shown);
}

}  // namespace

Answer fine_tuning(Call& call) {
  if (call.is("POST", "fine_tuning/jobs")) return create(call);
  if (call.is("GET", "fine_tuning/jobs")) return call.list(call.project[kinds::job]);
  if (call.is("GET", "fine_tuning/jobs/*")) return retrieve(call);
  if (call.is("POST", "fine_tuning/jobs/*/cancel")) return cancel(call);
  if (call.is("GET", "fine_tuning/jobs/*/events")) return call.list(call.find(kinds::job, 2)[kinds::job_event]);
  if (call.is("GET", "fine_tuning/jobs/*/checkpoints")) return call.list(call.find(kinds::job, 2)[kinds::checkpoint], {.limit = 10});
  return call.unknown_url();
}

}  // namespace mock
