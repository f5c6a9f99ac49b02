#include <sstream>

#include "nouns.hpp"

namespace mock {
namespace {

constexpr std::int64_t window_s = 86'400;

/// What a batch has come to so far.
struct Tally {
  std::uint64_t completed = 0, failed = 0;
  std::uint64_t input = 0, cached = 0, output = 0, reasoning = 0;
  std::string model, answers, errors;

  void add_usage(const ordered_json& usage) {
    const auto number = [](const ordered_json& object, const char* name) {
      const auto found = object.find(name);
      return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
    };
    const auto part = [&](const char* details, const char* name) { return usage.contains(details) ? number(usage[details], name) : 0; };
    input += number(usage, "input_tokens") + number(usage, "prompt_tokens");
    output += number(usage, "output_tokens") + number(usage, "completion_tokens");
    cached += part("input_tokens_details", "cached_tokens") + part("prompt_tokens_details", "cached_tokens");
    reasoning += part("output_tokens_details", "reasoning_tokens") + part("completion_tokens_details", "reasoning_tokens");
  }

  [[nodiscard]] ordered_json usage() const {
    return {{"input_tokens", input},
            {"input_tokens_details", {{"cached_tokens", cached}}},
            {"output_tokens", output},
            {"output_tokens_details", {{"reasoning_tokens", reasoning}}},
            {"total_tokens", input + output}};
  }
};

/// The request that a line of the input is, with the headers of the one that made the batch.
Request request_of(const Request& batch, const ordered_json& line) {
  Request request;
  request.method = "POST";
  request.target = request.path = text_of(line, "url");
  request.headers = batch.headers;
  request.key = batch.key;
  request.body = line.value("body", ordered_json::object()).dump();
  request.body_size = request.body.size();
  request.body_sha256 = sha256_hex(request.body);
  request.settle_seed();
  return request;
}

void answer_line(Tally& tally, const Request& batch, const std::function<Answer(const Request&)>& ask, const ordered_json& line) {
  const Answer answer = ask(request_of(batch, line));
  ordered_json body = ordered_json::parse(answer.body, nullptr, false);
  const bool good = answer.status < 400 && body.is_object();
  if (good) {
    ++tally.completed;
    tally.model = text_of(body, "model");
    if (body.contains("usage")) tally.add_usage(body["usage"]);
  } else {
    ++tally.failed;
  }
  const ordered_json told = {{"id", make_id("batch_req_", 32)},
                             {"custom_id", line.value("custom_id", ordered_json())},
                             {"response", {{"status_code", answer.status}, {"request_id", make_id("req_", 32)}, {"body", std::move(body)}}},
                             {"error", nullptr}};
  (good ? tally.answers : tally.errors) += told.dump() + "\n";
}

/// The lines as JSON; `problem` is told of the first that is none of this endpoint's.
std::vector<ordered_json> lines_of(const std::string& content, const std::string& endpoint, ordered_json& problem) {
  std::vector<ordered_json> lines;
  std::istringstream stream(content);
  for (std::string text; std::getline(stream, text);) {
    if (text.empty()) continue;
    ordered_json line = ordered_json::parse(text, nullptr, false);
    const bool fits = line.is_object() && text_of(line, "url") == endpoint && line.contains("custom_id");
    if (!fits) {
      problem = {{"code", line.is_object() ? "mismatched_url" : "invalid_json_line"}, {"message", "This line is no request for the endpoint of the batch."},
                 {"param", nullptr}, {"line", lines.size() + 1}};
      return {};
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

void finish(Object& batch, Object& project, const Request& request, const std::function<Answer(const Request&)>& ask, const std::vector<ordered_json>& lines) {
  Tally tally;
  for (const ordered_json& line : lines) answer_line(tally, request, ask, line);
  const std::string id = batch.id();
  if (!tally.answers.empty()) batch.shown["output_file_id"] = make_file(project, id + "_output.jsonl", "batch_output", std::move(tally.answers)).id();
  if (!tally.errors.empty()) batch.shown["error_file_id"] = make_file(project, id + "_error.jsonl", "batch_output", std::move(tally.errors)).id();
  batch.shown["request_counts"] = {{"total", lines.size()}, {"completed", tally.completed}, {"failed", tally.failed}};
  batch.shown["model"] = tally.model;
  batch.shown["usage"] = tally.usage();
  batch.enter("finalizing");
  batch.enter("completed");
}

Answer create(Call& call) {
  const std::string endpoint = text_of(call.body, "endpoint");
  const Object& input = get(call.project, kinds::file, text_of(call.body, "input_file_id"), "input_file_id");
  if (text_of(input.shown, "purpose") != "batch") refuse(400, "The input file's purpose must be 'batch'.", "input_file_id", "invalid_purpose");
  Object& batch = call.project[kinds::batch].add({{"id", make_id(kinds::batch)},
                                                  {"object", "batch"},
                                                  {"endpoint", endpoint},
                                                  {"model", nullptr},
                                                  {"errors", nullptr},
                                                  {"input_file_id", input.id()},
                                                  {"completion_window", call.value("completion_window", "24h")},
                                                  {"status", "validating"},
                                                  {"output_file_id", nullptr},
                                                  {"error_file_id", nullptr},
                                                  {"created_at", now()},
                                                  {"in_progress_at", nullptr},
                                                  {"expires_at", now() + window_s},
                                                  {"finalizing_at", nullptr},
                                                  {"completed_at", nullptr},
                                                  {"failed_at", nullptr},
                                                  {"expired_at", nullptr},
                                                  {"cancelling_at", nullptr},
                                                  {"cancelled_at", nullptr},
                                                  {"request_counts", {{"total", 0}, {"completed", 0}, {"failed", 0}}},
                                                  {"usage", nullptr},
                                                  {"metadata", call.value("metadata")}});
  ordered_json problem;
  const std::vector<ordered_json> lines = lines_of(input.content, endpoint, problem);
  if (lines.empty() && problem.is_null()) problem = {{"code", "empty_file"}, {"message", "The input file is empty."}, {"param", nullptr}, {"line", nullptr}};
  if (!problem.is_null()) {
    batch.work.emplace(call.request, std::vector<std::string>{"validating"}, [problem](Object& failed) {
      failed.shown["errors"] = {{"object", "list"}, {"data", ordered_json::array({problem})}};
      failed.enter("failed");
    });
  } else {
    batch.work.emplace(call.request, std::vector<std::string>{"validating", "in_progress"},
                       [request = call.request, ask = call.ask, &project = call.project, lines](Object& done) { finish(done, project, request, ask, lines); });
  }
  return json_answer(batch.shown);
}

Answer cancel(Call& call) {
  Object& batch = call.find(kinds::batch, 1);
  batch.proceed();
  if (!batch.work) refuse(409, "Cannot cancel a batch with status '" + batch.status() + "'.");
  batch.enter("cancelling");
  batch.work.emplace(call.request, std::vector<std::string>{"cancelling"}, [](Object& ended) { ended.enter("cancelled"); });
  return json_answer(batch.shown);
}

Answer retrieve(Call& call) {
  Object& batch = call.find(kinds::batch, 1);
  batch.look();
  return json_answer(batch.shown);
}

}  // namespace

Answer batches(Call& call) {
  if (call.is("POST", "batches")) return create(call);
  if (call.is("GET", "batches")) return call.list(call.project[kinds::batch]);
  if (call.is("GET", "batches/*")) return retrieve(call);
  if (call.is("POST", "batches/*/cancel")) return cancel(call);
  return call.unknown_url();
}

}  // namespace mock
