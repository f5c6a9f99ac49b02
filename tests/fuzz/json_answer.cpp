// JSON answers: the first line names the endpoint, the rest is the body. Where nlohmann::json takes the body, model, tier and usage
// are what it says at the top; the pieces it comes in make no difference.
#include <nlohmann/json.hpp>

#include "metered.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;
using nlohmann::json;

namespace {

constexpr std::string_view endpoints[] = {"chat/completions", "completions", "responses", "embeddings", "audio/speech", "audio/transcriptions",
                                          "images/generations", "threads", "other"};

/// Which names one object has more than once: of those decoders keep the last, and the scan the last that it understands.
class Names final : public nlohmann::json_sax<json> {
 public:
  bool are_unique = true;
  bool key(string_t& name) override {
    for (const std::string& each : names_.back()) are_unique = are_unique && each != name;
    names_.back().push_back(name);
    return true;
  }
  bool start_object(std::size_t) override { return names_.emplace_back(), true; }
  bool end_object() override { return names_.pop_back(), true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool string(string_t&) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  std::vector<std::vector<std::string>> names_{1};
};

bool is_ascii(const std::string& text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

std::int64_t count_of(const json& object, const char* name) {
  if (!object.is_object() || !object.contains(name) || !object[name].is_number()) return 0;
  const double number = object[name].get<double>();
  if (number < 0) return 0;
  return number < static_cast<double>(most_counted) ? static_cast<std::int64_t>(number) : most_counted;
}

bool has_count(const json& object, const char* name) {
  return object.contains(name) && object[name].is_number() && object[name].get<double>() >= 0;
}

void check_text(std::string_view got, const json& body, const char* name, std::size_t most, std::string_view none) {
  if (!body.contains(name) || !body[name].is_string()) {
    same(got, std::string_view(), name);
    return;
  }
  const std::string wanted = body[name].get<std::string>().substr(0, most);
  if (is_ascii(wanted)) same(got, wanted == none ? std::string_view() : std::string_view(wanted), name);
}

/// In the spelling of chats alone, of which upstream writes one.
void check_chat(const Usage& got, const json& body) {
  const json usage = body.contains("usage") ? body["usage"] : json();
  if (!usage.is_object()) {
    require(!got.given, "a body without usage tells none");
    return;
  }
  for (const auto& [name, value] : usage.items()) {
    const bool is_known = name == "prompt_tokens" || name == "completion_tokens" || name == "prompt_tokens_details" || name == "completion_tokens_details";
    const bool is_other = name.find("token") != name.npos || name == "seconds" || name.ends_with("_details");
    if (is_other && !is_known) return;
  }
  const bool is_given = has_count(usage, "prompt_tokens") || has_count(usage, "completion_tokens");
  same(got.given, is_given, "usage is given");
  if (!is_given) return;
  same(got.input, count_of(usage, "prompt_tokens"), "input");
  same(got.output, count_of(usage, "completion_tokens"), "output");
  const json input = usage.contains("prompt_tokens_details") ? usage["prompt_tokens_details"] : json();
  const json output = usage.contains("completion_tokens_details") ? usage["completion_tokens_details"] : json();
  same(got.cached, count_of(input, "cached_tokens"), "cached");
  same(got.reasoning, count_of(output, "reasoning_tokens"), "reasoning");
  same(got.audio_output, count_of(output, "audio_tokens"), "audio_output");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view body = text_of(data, size);
  const std::string_view line = take_line(body);
  AnswerMeter::Answer answer{endpoints[0], "application/json", false};
  for (const std::string_view each : endpoints) {
    if (line == each) answer.endpoint = each;
  }
  const Metered metered = meter_in_pieces(answer, body);
  same(metered.passed, body, "what passes");

  const json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object() || answer.endpoint == "other" || body.starts_with("\xef\xbb\xbf")) return 0;
  require(metered.has_ended, "a whole document is the end");
  Names names;
  json::sax_parse(body, &names);
  if (!names.are_unique) return 0;
  check_text(metered.model, parsed, "model", 256, "");
  check_text(metered.usage.tier, parsed, "service_tier", 32, "default");
  if (answer.endpoint == "chat/completions") check_chat(metered.usage, parsed);
  return 0;
}
