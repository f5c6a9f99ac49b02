#include "answers.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "models.hpp"
#include "nouns.hpp"
#include "usage.hpp"

namespace mock {
namespace {

Answer unknown_url(const Request& request) {
  return error_answer(404, "invalid_request_error", nullptr, "Invalid URL (" + request.method + " " + request.path + ")");
}

bool takes_json(const std::string& path) {
  static constexpr std::array paths{"chat/completions", "completions", "responses", "responses/compact", "responses/input_tokens", "embeddings", "moderations"};
  return std::find(paths.begin(), paths.end(), path) != paths.end();
}

/// The noun that a path begins with; null: none of those that stand for objects.
Answer (*noun_of(const std::string& path))(Call&) {
  static const std::map<std::string_view, Answer (*)(Call&)> nouns{{"files", files},
                                                                   {"uploads", uploads},
                                                                   {"batches", batches},
                                                                   {"fine_tuning", fine_tuning},
                                                                   {"vector_stores", vector_stores},
                                                                   {"assistants", assistants},
                                                                   {"threads", threads},
                                                                   {"responses", stored_responses},
                                                                   {"chat", stored_completions},
                                                                   {"conversations", conversations},
                                                                   {"containers", containers},
                                                                   {"evals", evals}};
  const auto found = nouns.find(std::string_view(path).substr(0, path.find('/')));
  return found == nouns.end() ? nullptr : found->second;
}

}  // namespace

Answer Answers::answer(const Request& request) {
  if (!request.key.starts_with("sk-")) {
    return error_answer(401, "invalid_request_error", nullptr, "You didn't provide an API key.");
  }
  if (const char* const problem = problem_of_usage(request)) return error_answer(400, "mock", nullptr, problem);
  try {
    return route(request);
  } catch (const Refusal& refusal) {
    return refusal.answer;
  } catch (const ordered_json::exception& error) {
    return error_answer(400, "invalid_request_error", nullptr, error.what());
  }
}

std::vector<ordered_json> Answers::say(const Request& request) {
  try {
    Call call = call_of(request);
    check_model(call);
    return response_events(call);
  } catch (const Refusal& refusal) {
    ordered_json event = {{"type", "error"}, {"status", refusal.answer.status}};
    event.update(ordered_json::parse(refusal.answer.body));
    return {event};
  }
}

Call Answers::call_of(const Request& request) {
  return {request, projects_.of(request.key), [this](const Request& other) { return answer(other); }};
}

Answer Answers::route(const Request& request) {
  if (!request.path.starts_with("/v1/")) return unknown_url(request);
  const std::string path = request.path.substr(4);
  const bool is_post = request.method == "POST";
  const bool makes_text = is_post && takes_json(path);
  if (path == "models" || path.starts_with("models/")) {
    Call call = call_of(request);
    return models(call, models_);
  }
  if (const auto noun = noun_of(path); noun != nullptr && !makes_text) {
    Call call = call_of(request);
    return noun(call);
  }
  if (!is_post) return unknown_url(request);
  if (path == "audio/speech") return speech(request);
  if (path == "audio/transcriptions" || path == "audio/translations") return transcription(request);
  if (path.starts_with("images/")) return images(request);
  if (!makes_text) return unknown_url(request);
  // A body too large to be kept is only measured.
  if (!request.body_kept) return json_answer({{"object", "mock.measured"}, {"bytes", request.body_size}, {"sha256", request.body_sha256}});
  Call call = call_of(request);
  if (!call.body.contains("model") && path != "moderations") refuse(400, "you must provide a model parameter");
  check_model(call);
  if (path.starts_with("responses")) return create_response(call);
  if (path == "embeddings") return embeddings(request, call.body);
  if (path == "moderations") return moderations(request);
  return chat(call, path == "chat/completions");
}

Answer Answers::embeddings(const Request& request, const ordered_json& body) {
  const std::string digest = sha256_hex(body.value("input", ordered_json()).dump());
  float values[8];
  for (std::size_t i = 0; i < 8; ++i) values[i] = static_cast<float>(digest[i]) / 128.0F;
  ordered_json vector;
  if (text_of(body, "encoding_format") == "base64") {
    char bytes[sizeof values];
    std::memcpy(bytes, values, sizeof values);
    vector = base64({bytes, sizeof bytes});
  } else {
    vector = values;
  }
  ordered_json answer = {{"object", "list"}, {"data", {{{"object", "embedding"}, {"index", 0}, {"embedding", vector}}}}, {"model", body["model"]}};
  add_usage(answer, request, embeddings_usage(Figures(request, ordered_json{{"input", 5}})));
  plant(answer, request);
  return json_answer(answer);
}

Answer Answers::moderations(const Request& request) {
  return json_answer({{"id", "modr-" + request.seed.substr(0, 24)},
                      {"model", "omni-moderation-latest"},
                      {"results", {{{"flagged", false}, {"categories", ordered_json::object()}, {"category_scores", ordered_json::object()}}}}});
}

}  // namespace mock
