#include "answers.hpp"

#include <algorithm>
#include <array>
#include <cstring>

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

}  // namespace

Answer Answers::answer(const Request& request) {
  if (!request.key.starts_with("sk-")) {
    return error_answer(401, "invalid_request_error", nullptr, "You didn't provide an API key.");
  }
  if (const char* const problem = problem_of_usage(request)) return error_answer(400, "mock", nullptr, problem);
  try {
    return route(request);
  } catch (const ordered_json::exception& error) {
    return error_answer(400, "invalid_request_error", nullptr, error.what());
  }
}

Answer Answers::route(const Request& request) {
  if (!request.path.starts_with("/v1/")) return unknown_url(request);
  const std::string path = request.path.substr(4);
  const bool is_post = request.method == "POST";
  if (path == "models" || path.starts_with("models/")) return models(request);
  if (path == "files" || path.starts_with("files/")) return files(request);
  if (!is_post) return unknown_url(request);
  if (path == "audio/speech") return speech(request);
  if (path == "audio/transcriptions" || path == "audio/translations") return transcription(request);
  if (path.starts_with("images/")) return images(request);
  if (!takes_json(path)) return unknown_url(request);
  // A body too large to be kept is only measured.
  if (!request.body_kept) return json_answer({{"object", "mock.measured"}, {"bytes", request.body_size}, {"sha256", request.body_sha256}});
  const ordered_json body = ordered_json::parse(request.body, nullptr, false);
  if (!body.is_object()) return error_answer(400, "invalid_request_error", nullptr, "We could not parse the JSON body of your request.");
  if (!body.contains("model") && path != "moderations") {
    return error_answer(400, "invalid_request_error", nullptr, "you must provide a model parameter");
  }
  if (path.starts_with("responses")) return responses(request, body);
  if (path == "embeddings") return embeddings(request, body);
  if (path == "moderations") return moderations(request);
  return chat(request, body, path == "chat/completions");
}

Answer Answers::models(const Request& request) const {
  const auto shown = [](const std::string& id) -> ordered_json {
    return {{"id", id}, {"object", "model"}, {"created", 1'700'000'000}, {"owned_by", "openai"}};
  };
  if (request.path != "/v1/models") {
    const std::string wanted = request.path.substr(11);
    for (const std::string& each : models_) {
      if (each == wanted) return json_answer(shown(each));
    }
    return error_answer(404, "invalid_request_error", "model_not_found", "The model '" + wanted + "' does not exist");
  }
  ordered_json list = ordered_json::array();
  for (const std::string& each : models_) list.push_back(shown(each));
  return json_answer({{"object", "list"}, {"data", list}});
}

Answer Answers::embeddings(const Request& request, const ordered_json& body) const {
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

Answer Answers::moderations(const Request& request) const {
  return json_answer({{"id", "modr-" + request.seed.substr(0, 24)},
                      {"model", "omni-moderation-latest"},
                      {"results", {{{"flagged", false}, {"categories", ordered_json::object()}, {"category_scores", ordered_json::object()}}}}});
}

}  // namespace mock
