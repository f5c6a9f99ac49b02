#include "events.hpp"
#include "nouns.hpp"
#include "references.hpp"
#include "usage.hpp"

namespace mock {
namespace {

ordered_json planted_calls() {
  const ordered_json function = {{"name", "report"}, {"arguments", planted_text()}};
  return ordered_json::array({{{"index", 0}, {"id", "call_1"}, {"type", "function"}, {"function", function}}});
}

/// The answers to one request for chat or text completion.
class Completion {
 public:
  Completion(const Request& request, const ordered_json& body, bool is_chat)
      : request_(request),
        body_(body),
        is_chat_(is_chat),
        events_(request.number("x-mock-events", 8)),
        pad_(request.number("x-mock-bytes", 0)),
        id_(is_stored() ? make_id(kinds::completion) : (is_chat ? "chatcmpl-" : "cmpl-") + request.seed.substr(0, 24)),
        tier_(tier_of(request, body)),
        figures_(request, {{"input", request.seed_size / 4}, {"output", events_}}) {
    if (const auto options = body.find("stream_options"); options != body.end()) with_usage_ = is_true(*options, "include_usage");
  }

  /// What is stored has an id that nothing else has; what is not is the same for the same request.
  [[nodiscard]] bool is_stored() const { return is_chat_ && is_true(body_, "store"); }

  [[nodiscard]] ordered_json whole() const {
    std::string text;
    for (std::uint64_t i = 0; i < events_; ++i) text += word(i, pad_);
    ordered_json choice = {{"index", 0}};
    if (is_chat_) choice["message"] = {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}};
    else choice["text"] = text;
    if (is_chat_ && request_.asks("x-mock-plant")) choice["message"]["tool_calls"] = planted_calls();
    choice["logprobs"] = nullptr;
    choice["finish_reason"] = "stop";
    ordered_json answer = head("chat.completion");
    answer["choices"] = ordered_json::array({choice});
    add_usage(answer, request_, chat_usage(figures_));
    answer["service_tier"] = tier_;
    answer["system_fingerprint"] = "fp_mock";
    plant(answer, request_);
    return answer;
  }

  [[nodiscard]] Answer streamed() const {
    std::vector<std::string> all;
    for (std::uint64_t i = 0; i < events_; ++i) {
      ordered_json delta = i == 0 ? ordered_json{{"role", "assistant"}, {"content", word(i, pad_)}} : ordered_json{{"content", word(i, pad_)}};
      all.push_back(chunk(i, ordered_json::array({choice(std::move(delta), word(i, pad_), nullptr)}), nullptr));
    }
    ordered_json last = ordered_json::object();
    if (request_.asks("x-mock-plant")) last["tool_calls"] = planted_calls();
    all.push_back(chunk(events_, ordered_json::array({choice(std::move(last), "", "stop")}), nullptr));
    if (with_usage_ && !request_.asks("x-mock-no-usage")) all.push_back(chunk(events_ + 1, ordered_json::array(), chat_usage(figures_)));
    all.emplace_back("data: [DONE]\n\n");
    return stream_of(request_, std::move(all));
  }

 private:
  [[nodiscard]] ordered_json head(const char* object) const {
    return {{"id", id_},
            {"object", is_chat_ ? object : "text_completion"},
            {"created", is_stored() ? now() : 1'700'000'000},
            {"model", text_of(body_, "model")}};
  }

  [[nodiscard]] ordered_json choice(ordered_json delta, std::string text, ordered_json finish) const {
    ordered_json made = {{"index", 0}};
    if (is_chat_) made["delta"] = std::move(delta);
    else made["text"] = std::move(text);
    made["logprobs"] = nullptr;
    made["finish_reason"] = std::move(finish);
    return made;
  }

  [[nodiscard]] std::string chunk(std::uint64_t index, ordered_json choices, ordered_json usage) const {
    ordered_json data = head("chat.completion.chunk");
    data["service_tier"] = tier_;
    data["system_fingerprint"] = "fp_mock";
    data["choices"] = std::move(choices);
    if (with_usage_) data["usage"] = std::move(usage);
    obfuscate(data, request_, index);
    plant(data, request_);
    return bare_event(data);
  }

  const Request& request_;
  const ordered_json& body_;
  bool is_chat_;
  bool with_usage_ = false;
  std::uint64_t events_, pad_;
  std::string id_, tier_;
  Figures figures_;
};

}  // namespace

Answer chat(Call& call, bool is_chat) {
  if (const std::uint64_t raw = call.request.number("x-mock-raw-bytes", 0); raw > 0) return long_stream(raw);
  check_references(call);
  const Completion completion(call.request, call.body, is_chat);
  if (completion.is_stored()) remember_completion(call, completion.whole());
  return is_true(call.body, "stream") ? completion.streamed() : json_answer(completion.whole());
}

}  // namespace mock
