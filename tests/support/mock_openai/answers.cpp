#include "answers.hpp"

#include <cstring>
#include <memory>

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace mock {
namespace {

constexpr std::int64_t created = 1'700'000'000;

bool equals(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] | 0x20) : a[i];
    if (c != lower[i]) return false;
  }
  return true;
}

/// Gives the events of `all` one after the other.
std::function<std::optional<std::string>()> one_by_one(std::vector<std::string> all) {
  auto events = std::make_shared<std::vector<std::string>>(std::move(all));
  return [events, next = std::size_t{0}]() mutable -> std::optional<std::string> {
    if (next == events->size()) return std::nullopt;
    return (*events)[next++];
  };
}

Answer stream_of(std::function<std::optional<std::string>()> next) {
  Answer answer;
  answer.content_type = "text/event-stream; charset=utf-8";
  answer.next_piece = std::move(next);
  return answer;
}

std::string word(std::uint64_t index, std::uint64_t pad) {
  std::string text = "word" + std::to_string(index) + " ";
  for (std::uint64_t i = 0; i < pad; ++i) text.push_back(static_cast<char>('a' + (index + i) % 26));
  return text;
}

ordered_json usage_a(std::uint64_t in, std::uint64_t out) {
  return {{"prompt_tokens", in},
          {"completion_tokens", out},
          {"total_tokens", in + out},
          {"prompt_tokens_details", {{"cached_tokens", 0}, {"audio_tokens", 0}}},
          {"completion_tokens_details", {{"reasoning_tokens", 0}, {"audio_tokens", 0}}}};
}

ordered_json usage_b(std::uint64_t in, std::uint64_t out) {
  return {{"input_tokens", in},
          {"input_tokens_details", {{"cached_tokens", 0}}},
          {"output_tokens", out},
          {"output_tokens_details", {{"reasoning_tokens", 0}}},
          {"total_tokens", in + out}};
}

std::string event(const ordered_json& data) { return "data: " + data.dump() + "\n\n"; }
std::string named(const std::string& name, ordered_json data, std::uint64_t& sequence) {
  data["type"] = name;
  data["sequence_number"] = sequence++;
  return "event: " + name + "\ndata: " + data.dump() + "\n\n";
}

/// As many bytes of events as asked for, made while they are sent.
Answer long_stream(std::uint64_t bytes) {
  auto left = std::make_shared<std::uint64_t>(bytes);
  return stream_of([left, index = std::uint64_t{0}]() mutable -> std::optional<std::string> {
    if (*left == 0) return std::nullopt;
    std::string piece = "data: " + std::to_string(index) + " ";
    while (piece.size() < 16'382) piece.push_back(static_cast<char>('a' + (index + piece.size()) % 26));
    piece += "\n\n";
    ++index;
    if (piece.size() > *left) piece.resize(static_cast<std::size_t>(*left));
    *left -= piece.size();
    return piece;
  });
}

}  // namespace

std::string Request::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (equals(name, lower_case_name)) return value;
  }
  return {};
}

std::uint64_t Request::number(std::string_view lower_case_name, std::uint64_t otherwise) const {
  const std::string text = header(lower_case_name);
  return text.empty() ? otherwise : std::strtoull(text.c_str(), nullptr, 10);
}

std::string sha256_hex(std::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out;
  for (const unsigned char byte : digest) {
    char pair[3];
    std::snprintf(pair, sizeof pair, "%02x", byte);
    out += pair;
  }
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

Answer json_answer(const ordered_json& body, unsigned status) {
  Answer answer;
  answer.status = status;
  answer.body = body.dump();
  return answer;
}

Answer error_answer(unsigned status, std::string_view type, const ordered_json& code, std::string_view message) {
  return json_answer({{"error", {{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}}, status);
}

Answer Answers::answer(const Request& request) {
  if (!request.key.starts_with("sk-")) {
    return error_answer(401, "invalid_request_error", nullptr, "You didn't provide an API key.");
  }
  std::string path = request.path;
  if (!path.starts_with("/v1/")) return error_answer(404, "invalid_request_error", nullptr, "Invalid URL (" + request.method + " " + path + ")");
  path = path.substr(4);
  const bool is_post = request.method == "POST";
  if (path == "models" || path.starts_with("models/")) return models(request);
  if (path == "audio/speech" && is_post) return speech(request);
  if ((path == "audio/transcriptions" || path == "audio/translations") && is_post) return transcription(request);
  if (path.starts_with("images/") && is_post) return images(request);
  if (path == "files" || path.starts_with("files/")) return files(request);
  const bool takes_json = path == "chat/completions" || path == "completions" || path == "responses" || path == "embeddings" || path == "moderations";
  if (!takes_json || !is_post) return error_answer(404, "invalid_request_error", nullptr, "Invalid URL (" + request.method + " " + request.path + ")");
  // A body too large to be kept is only measured.
  if (!request.body_kept) return json_answer({{"object", "mock.measured"}, {"bytes", request.body_size}, {"sha256", request.body_sha256}});
  const ordered_json body = ordered_json::parse(request.body, nullptr, false);
  if (!body.is_object()) return error_answer(400, "invalid_request_error", nullptr, "We could not parse the JSON body of your request.");
  if (!body.contains("model") && path != "moderations") {
    return error_answer(400, "invalid_request_error", nullptr, "you must provide a model parameter");
  }
  if (path == "responses") return responses(request, body);
  if (path == "embeddings") return embeddings(body);
  if (path == "moderations") return moderations(body);
  return chat(request, body, path == "chat/completions");
}

Answer Answers::models(const Request& request) const {
  const auto shown = [](const std::string& id) -> ordered_json {
    return {{"id", id}, {"object", "model"}, {"created", created}, {"owned_by", "openai"}};
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

Answer Answers::chat(const Request& request, const ordered_json& body, bool is_chat) const {
  const std::string id = (is_chat ? "chatcmpl-" : "cmpl-") + sha256_hex(request.body).substr(0, 24);
  const std::string model = body["model"].is_string() ? body["model"].get<std::string>() : "";
  const std::uint64_t events = request.number("x-mock-events", 8);
  const std::uint64_t pad = request.number("x-mock-bytes", 0);
  const std::uint64_t prompt = request.body.size() / 4;
  if (const std::uint64_t raw = request.number("x-mock-raw-bytes", 0); raw > 0) return long_stream(raw);
  if (!body.value("stream", false)) {
    std::string text;
    for (std::uint64_t i = 0; i < events; ++i) text += word(i, pad);
    ordered_json choice = {{"index", 0}};
    if (is_chat) choice["message"] = {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
    else choice["text"] = text;
    choice["logprobs"] = nullptr;
    choice["finish_reason"] = "stop";
    return json_answer({{"id", id},
                        {"object", is_chat ? "chat.completion" : "text_completion"},
                        {"created", created},
                        {"model", model},
                        {"choices", {choice}},
                        {"usage", usage_a(prompt, events)},
                        {"service_tier", "default"},
                        {"system_fingerprint", "fp_mock"}});
  }
  const bool with_usage = body.contains("stream_options") && body["stream_options"].value("include_usage", false);
  const auto chunk = [&](ordered_json choices) {
    ordered_json data = {{"id", id}, {"object", is_chat ? "chat.completion.chunk" : "text_completion"}, {"created", created},
                         {"model", model}, {"system_fingerprint", "fp_mock"}, {"choices", std::move(choices)}};
    if (with_usage) data["usage"] = nullptr;
    return data;
  };
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < events; ++i) {
    ordered_json choice = {{"index", 0}};
    if (is_chat) choice["delta"] = i == 0 ? ordered_json{{"role", "assistant"}, {"content", word(i, pad)}} : ordered_json{{"content", word(i, pad)}};
    else choice["text"] = word(i, pad);
    choice["logprobs"] = nullptr;
    choice["finish_reason"] = nullptr;
    all.push_back(event(chunk({choice})));
  }
  ordered_json last = {{"index", 0}};
  if (is_chat) last["delta"] = ordered_json::object();
  else last["text"] = "";
  last["logprobs"] = nullptr;
  last["finish_reason"] = "stop";
  all.push_back(event(chunk({last})));
  if (with_usage) {
    ordered_json tail = chunk(ordered_json::array());
    tail["usage"] = usage_a(prompt, events);
    all.push_back(event(tail));
  }
  all.emplace_back("data: [DONE]\n\n");
  return stream_of(one_by_one(std::move(all)));
}

Answer Answers::responses(const Request& request, const ordered_json& body) const {
  const std::string digest = sha256_hex(request.body);
  const std::string id = "resp_" + digest.substr(0, 32), item = "msg_" + digest.substr(32, 32);
  const std::uint64_t events = request.number("x-mock-events", 8);
  std::string text;
  for (std::uint64_t i = 0; i < events; ++i) text += word(i, 0);
  const auto part = [](const std::string& content) -> ordered_json {
    return {{"type", "output_text"}, {"text", content}, {"annotations", ordered_json::array()}};
  };
  const auto message = [&](const char* status, ordered_json content) -> ordered_json {
    return {{"id", item}, {"type", "message"}, {"status", status}, {"role", "assistant"}, {"content", std::move(content)}};
  };
  const auto response = [&](const char* status, ordered_json output, ordered_json usage) -> ordered_json {
    return {{"id", id},           {"object", "response"}, {"created_at", created}, {"status", status},
            {"error", nullptr},   {"model", body["model"]}, {"output", std::move(output)}, {"parallel_tool_calls", true},
            {"tool_choice", "auto"}, {"tools", ordered_json::array()}, {"usage", std::move(usage)}};
  };
  const ordered_json done = response("completed", {message("completed", {part(text)})}, usage_b(request.body.size() / 4, events));
  if (!body.value("stream", false)) return json_answer(done);
  std::uint64_t sequence = 0;
  std::vector<std::string> all;
  const ordered_json at = {{"item_id", item}, {"output_index", 0}, {"content_index", 0}};
  all.push_back(named("response.created", {{"response", response("in_progress", ordered_json::array(), nullptr)}}, sequence));
  all.push_back(named("response.output_item.added", {{"output_index", 0}, {"item", message("in_progress", ordered_json::array())}}, sequence));
  ordered_json added = at;
  added["part"] = part("");
  all.push_back(named("response.content_part.added", added, sequence));
  for (std::uint64_t i = 0; i < events; ++i) {
    ordered_json delta = at;
    delta["delta"] = word(i, 0);
    all.push_back(named("response.output_text.delta", delta, sequence));
  }
  ordered_json whole = at;
  whole["text"] = text;
  all.push_back(named("response.output_text.done", whole, sequence));
  all.push_back(named("response.completed", {{"response", done}}, sequence));
  return stream_of(one_by_one(std::move(all)));
}

Answer Answers::embeddings(const ordered_json& body) const {
  const std::string digest = sha256_hex(body.value("input", ordered_json()).dump());
  float values[8];
  for (std::size_t i = 0; i < 8; ++i) values[i] = static_cast<float>(digest[i]) / 128.0F;
  ordered_json vector;
  if (body.value("encoding_format", "float") == "base64") {
    char bytes[sizeof values];
    std::memcpy(bytes, values, sizeof values);
    vector = base64({bytes, sizeof bytes});
  } else {
    vector = values;
  }
  return json_answer({{"object", "list"},
                      {"data", {{{"object", "embedding"}, {"index", 0}, {"embedding", vector}}}},
                      {"model", body["model"]},
                      {"usage", {{"prompt_tokens", 5}, {"total_tokens", 5}}}});
}

Answer Answers::moderations(const ordered_json& body) const {
  return json_answer({{"id", "modr-" + sha256_hex(body.dump()).substr(0, 24)},
                      {"model", "omni-moderation-latest"},
                      {"results", {{{"flagged", false}, {"categories", ordered_json::object()}, {"category_scores", ordered_json::object()}}}}});
}

}  // namespace mock
