#include "usage.hpp"

#include <cmath>
#include <limits>

namespace mock {
namespace {

bool is_whole(const ordered_json& value) {
  return value.is_number_integer() &&
         (!value.is_number_unsigned() || value.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

/// a + sign · b; inexact where that does not fit, and what is no number counts as 0.
ordered_json sum(const ordered_json& a, const ordered_json& b, int sign) {
  if (is_whole(a) && is_whole(b)) {
    std::int64_t whole = 0;
    const bool over = sign > 0 ? __builtin_add_overflow(a.get<std::int64_t>(), b.get<std::int64_t>(), &whole)
                               : __builtin_sub_overflow(a.get<std::int64_t>(), b.get<std::int64_t>(), &whole);
    if (!over) return whole;
  }
  const auto real = [](const ordered_json& value) { return value.is_number() ? value.get<double>() : 0.0; };
  return real(a) + sign * real(b);
}

/// Details that upstream leaves out of most answers appear when a test names them.
void add_if_asked(ordered_json& details, const char* name, const Figures& figures, const char* figure) {
  if (figures.asked(figure)) details[name] = figures[figure];
}

ordered_json lie() {
  return {{"prompt_tokens", 0}, {"completion_tokens", 0}, {"input_tokens", 0}, {"output_tokens", 0}, {"total_tokens", 0}};
}

}  // namespace

Figures::Figures(const Request& request, ordered_json own)
    : asked_(ordered_json::parse(request.header("x-mock-usage"), nullptr, false)), own_(std::move(own)) {
  if (!asked_.is_object()) asked_ = ordered_json::object();
}

ordered_json Figures::operator[](const char* name) const {
  if (const auto found = asked_.find(name); found != asked_.end()) return *found;
  if (const auto found = own_.find(name); found != own_.end()) return *found;
  return 0;
}

ordered_json Figures::total() const { return asked("total") ? (*this)["total"] : sum((*this)["input"], (*this)["output"], 1); }

ordered_json Figures::rest(const char* total, std::initializer_list<const char*> parts) const {
  ordered_json left = (*this)[total];
  for (const char* const part : parts) left = sum(left, (*this)[part], -1);
  return left;
}

const char* problem_of_usage(const Request& request) {
  const std::string text = request.header("x-mock-usage");
  return text.empty() || ordered_json::parse(text, nullptr, false).is_object() ? nullptr : "x-mock-usage is no JSON object";
}

ordered_json chat_usage(const Figures& figures) {
  ordered_json input = {{"cached_tokens", figures["cached"]}, {"cache_write_tokens", figures["cache_write"]}, {"audio_tokens", figures["audio_input"]}};
  add_if_asked(input, "image_tokens", figures, "image_input");
  ordered_json output = {{"reasoning_tokens", figures["reasoning"]}, {"audio_tokens", figures["audio_output"]}};
  add_if_asked(output, "image_tokens", figures, "image_output");
  output["accepted_prediction_tokens"] = 0;
  output["rejected_prediction_tokens"] = 0;
  return {{"prompt_tokens", figures["input"]},
          {"completion_tokens", figures["output"]},
          {"total_tokens", figures.total()},
          {"prompt_tokens_details", input},
          {"completion_tokens_details", output}};
}

ordered_json responses_usage(const Figures& figures) {
  ordered_json input = {{"cached_tokens", figures["cached"]}, {"cache_write_tokens", figures["cache_write"]}};
  add_if_asked(input, "audio_tokens", figures, "audio_input");
  add_if_asked(input, "image_tokens", figures, "image_input");
  ordered_json output = {{"reasoning_tokens", figures["reasoning"]}};
  add_if_asked(output, "audio_tokens", figures, "audio_output");
  add_if_asked(output, "image_tokens", figures, "image_output");
  return {{"input_tokens", figures["input"]},
          {"input_tokens_details", input},
          {"output_tokens", figures["output"]},
          {"output_tokens_details", output},
          {"total_tokens", figures.total()}};
}

ordered_json run_usage(const Figures& figures) {
  return {{"prompt_tokens", figures["input"]},
          {"completion_tokens", figures["output"]},
          {"total_tokens", figures.total()},
          {"prompt_token_details", {{"cached_tokens", figures["cached"]}}},
          {"completion_tokens_details", {{"reasoning_tokens", figures["reasoning"]}}}};
}

ordered_json embeddings_usage(const Figures& figures) {
  return {{"prompt_tokens", figures["input"]}, {"total_tokens", figures.asked("total") ? figures["total"] : figures["input"]}};
}

ordered_json speech_usage(const Figures& figures) {
  return {{"input_tokens", figures["input"]}, {"output_tokens", figures["output"]}, {"total_tokens", figures.total()}};
}

ordered_json transcript_usage(const Figures& figures) {
  // All of the input is sound, but for a prompt.
  const ordered_json audio = figures.asked("audio_input") ? figures["audio_input"] : figures["input"];
  const ordered_json text = sum(figures["input"], audio, -1);
  return {{"type", "tokens"},
          {"input_tokens", figures["input"]},
          {"input_token_details", {{"text_tokens", text}, {"audio_tokens", audio}}},
          {"output_tokens", figures["output"]},
          {"total_tokens", figures.total()}};
}

ordered_json duration_usage(const Figures& figures) {
  ordered_json seconds = figures["seconds"];
  if (seconds.is_number_float() && std::abs(seconds.get<double>()) < 1e15) seconds = static_cast<std::int64_t>(std::ceil(seconds.get<double>()));
  return {{"type", "duration"}, {"seconds", seconds}};
}

ordered_json image_usage(const Figures& figures) {
  ordered_json input = {{"text_tokens", figures.rest("input", {"image_input"})}, {"image_tokens", figures["image_input"]}};
  add_if_asked(input, "cached_tokens", figures, "cached");
  ordered_json usage = {{"input_tokens", figures["input"]}, {"input_tokens_details", input}, {"output_tokens", figures["output"]}, {"total_tokens", figures.total()}};
  if (figures.asked("image_output")) {
    usage["output_tokens_details"] = {{"text_tokens", figures.rest("output", {"image_output"})}, {"image_tokens", figures["image_output"]}};
  }
  return usage;
}

ordered_json realtime_usage(const Figures& figures) {
  return {{"total_tokens", figures.total()},
          {"input_tokens", figures["input"]},
          {"output_tokens", figures["output"]},
          {"input_token_details",
           {{"cached_tokens", figures["cached"]},
            {"text_tokens", figures.rest("input", {"audio_input", "image_input"})},
            {"audio_tokens", figures["audio_input"]},
            {"image_tokens", figures["image_input"]},
            {"cached_tokens_details",
             {{"text_tokens", figures.rest("cached", {"cached_audio"})}, {"audio_tokens", figures["cached_audio"]}, {"image_tokens", 0}}}}},
          {"output_token_details", {{"text_tokens", figures.rest("output", {"audio_output"})}, {"audio_tokens", figures["audio_output"]}}}};
}

void add_usage(ordered_json& answer, const Request& request, ordered_json usage) {
  if (!request.asks("x-mock-no-usage")) answer["usage"] = std::move(usage);
}

std::string tier_of(const Request& request, const ordered_json& body) {
  if (std::string tier = request.header("x-mock-tier"); !tier.empty()) return tier;
  const std::string wanted = text_of(body, "service_tier");
  return wanted == "flex" || wanted == "priority" ? wanted : "default";
}

std::string planted_text() { return "{\"usage\":" + lie().dump() + "}"; }

void plant(ordered_json& answer, const Request& request) {
  if (!request.asks("x-mock-plant")) return;
  ordered_json planted = {{"planted", {{"usage", lie()}}}};
  ordered_json behind = ordered_json::object();
  for (const auto& [name, value] : answer.items()) {
    const bool is_echo = name == "choices" || name == "output" || name == "data" || name == "tools";
    (is_echo ? behind : planted)[name] = value;
  }
  planted.update(behind);
  const ordered_json properties = {{"usage", {{"input_tokens", 0}, {"output_tokens", 0}}}};
  const ordered_json parameters = {{"type", "object"}, {"properties", properties}};
  planted["tools"] = ordered_json::array({{{"type", "function"}, {"name", "usage"}, {"parameters", parameters}}});
  planted["metadata"] = {{"usage", lie()}, {"service_tier", "flex"}, {"model", "gpt-4o-mini"}, {"text", "\"usage\":" + planted_text()}};
  answer = std::move(planted);
}

}  // namespace mock
