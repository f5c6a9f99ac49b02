// JSON bodies of requests. Where nlohmann::json takes a body, the scan must have understood it alike: model, stream, counts, texts,
// links, and where its bytes stand; the change that asks for usage must leave JSON that says the same and asks for usage. Whether
// nlohmann takes it or not, the pieces that it comes in make no difference.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "check.hpp"
#include "proxyxai/metering/request_scan.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;
using nlohmann::json;

namespace {

constexpr std::int64_t most_tokens = 1'000'000'000;

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

/// What a decoder of whole documents says of the parts that are sums over all of it.
class Sums final : public nlohmann::json_sax<json> {
 public:
  std::int64_t text_bytes = 0, data_urls = 0, links = 0;
  bool has_minus_zero = false, has_long_number = false;

  bool key(string_t& name) override {
    name_ = name;
    text_bytes += static_cast<std::int64_t>(name.size());
    return true;
  }
  bool string(string_t& value) override {
    const std::string name = std::exchange(name_, "");
    const bool may_be_data = name == "url" || name == "image_url" || name == "file_data";
    const bool may_be_link = name == "url" || name == "image_url" || name == "file_url";
    if (may_be_data && value.starts_with("data:")) {
      ++data_urls;
      return true;
    }
    if (name == "file_id" || (may_be_link && starts_with_lower(value, "http"))) ++links;
    text_bytes += static_cast<std::int64_t>(value.size());
    return true;
  }
  bool null() override { return scalar("null"); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    // `-0` is a whole number of two bytes.
    has_minus_zero = has_minus_zero || value == 0;
    return scalar(std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override { return scalar(std::to_string(value)); }
  bool number_float(number_float_t, const string_t& text) override {
    has_long_number = has_long_number || text.size() > 48;
    return scalar(text);
  }
  bool start_object(std::size_t) override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_object() override { return true; }
  bool end_array() override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool scalar(const std::string& text) {
    text_bytes += static_cast<std::int64_t>(text.size());
    return true;
  }
  std::string name_;
};

/// A count as the scan has it; nullopt: none.
std::optional<std::int64_t> count_of(const json& body, const char* name) {
  const auto found = body.find(name);
  if (found == body.end() || !found->is_number()) return std::nullopt;
  const double number = found->get<double>();
  if (number < 0) return std::nullopt;
  return number < static_cast<double>(most_tokens) ? static_cast<std::int64_t>(number) : most_tokens;
}

std::int64_t choices_of(const json& body, const char* name) {
  const std::int64_t n = count_of(body, name).value_or(1);
  return n >= 1 && n <= 1'000 ? n : 1;
}

bool is_true(const json& body, const char* name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_boolean() && found->get<bool>();
}

std::string word_of(const json& body, const char* name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? found->get<std::string>().substr(0, 32) : std::string();
}

void check_word(const std::string& got, const json& body, const char* name) {
  const std::string wanted = word_of(body, name);
  // What is not ASCII by escape is `?` to the scan.
  if (is_ascii(wanted)) same(got, wanted, name);
}

void check_model(const RequestFacts& facts, const json& body, std::string_view text) {
  const auto model = body.find("model");
  if (model == body.end() || !model->is_string()) {
    same(facts.model, "", "model of a body without one");
    same(facts.model_end, 0u, "place of a model that is none");
    return;
  }
  const std::string wanted = model->get<std::string>();
  if (is_ascii(wanted)) same(facts.model, wanted.substr(0, max_model), "model");
  require(facts.model_begin < facts.model_end && facts.model_end <= text.size(), "the model stands in the body");
  const json placed = json::parse(text.substr(facts.model_begin, facts.model_end - facts.model_begin), nullptr, false);
  require(placed.is_string() && placed == *model, "the model stands where the scan says");
}

/// `may_be_more`: a number is too long to be kept whole, and so counts as the most there is.
void check_counts(const RequestFacts& facts, const json& body, bool may_be_more) {
  const auto check = [may_be_more](std::int64_t got, std::int64_t wanted, const char* what) {
    if (may_be_more) require(got >= wanted, what);
    else same(got, wanted, what);
  };
  check(facts.n, choices_of(body, "n"), "n");
  check(facts.best_of, choices_of(body, "best_of"), "best_of");
  std::int64_t most = -1;
  for (const char* name : {"max_tokens", "max_completion_tokens", "max_output_tokens"}) most = std::max(most, count_of(body, name).value_or(-1));
  check(facts.max_tokens.value_or(-1), most, "max_tokens");
}

void check_stored(const RequestFacts& facts, const json& body) {
  const auto is = [&body](const char* name, auto&& fits) { return body.contains(name) && fits(body[name]); };
  const bool refers = is("previous_response_id", [](const json& value) { return value.is_string(); }) ||
                      is("conversation", [](const json& value) { return value.is_string() || value.is_object(); }) ||
                      is("prompt", [](const json& value) { return value.is_object(); });
  same(facts.refers_to_stored, refers, "refers to what is stored");
  std::int64_t prompts = 1;
  if (is("prompt", [](const json& value) { return value.is_array(); })) {
    std::int64_t found = 0;
    for (const json& each : body["prompt"]) found += each.is_string() || each.is_structured();
    prompts = std::max<std::int64_t>(found, 1);
  }
  same(facts.prompts, prompts, "prompts");
}

void check_edit(const RequestFacts& facts, const json& body, std::string_view text) {
  const auto options = body.find("stream_options");
  const bool can_ask = options == body.end() || options->is_object() || options->is_null();
  const bool asks = options != body.end() && options->is_object() && is_true(*options, "include_usage");
  const auto edit = ask_for_usage(facts);
  same(edit.has_value(), can_ask && !asks, "has to ask for usage");
  if (!edit) return;
  require(edit->at + edit->removed <= text.size(), "the change is within the body");
  std::string changed(text);
  changed.replace(edit->at, edit->removed, edit->text);
  const json read = json::parse(changed, nullptr, false);
  json wanted = body;
  if (!wanted["stream_options"].is_object()) wanted["stream_options"] = json::object();
  wanted["stream_options"]["include_usage"] = true;
  if (read != wanted) fail("the changed body says the same and asks for usage: " + changed);
}

void check(const RequestFacts& facts, std::string_view text) {
  require(facts.text_bytes >= 0 && facts.text_bytes <= static_cast<std::int64_t>(text.size()), "there is no more text than there are bytes");
  require(facts.n >= 1 && facts.n <= 1'000 && facts.best_of >= 1 && facts.best_of <= 1'000 && facts.prompts >= 1, "counts are within bounds");
  require(facts.model.size() <= max_model && facts.model_end <= text.size(), "the model is within bounds");
  require(!facts.max_tokens || (*facts.max_tokens >= 0 && *facts.max_tokens <= most_tokens), "max_tokens is within bounds");
  require(facts.data_urls >= 0 && facts.links >= 0 && facts.characters >= 0, "no count is negative");
  for (const ObjectName& each : facts.objects) require(!each.id.empty() && each.id.size() <= max_object_id, "an object has an id");
  // nlohmann passes over a byte order mark, which is no JSON.
  if (text.starts_with("\xef\xbb\xbf")) {
    require(!facts.is_object, "a body with a byte order mark is no object");
    return;
  }
  // A NUL ends the text for nlohmann; no JSON has one.
  if (text.find('\0') != std::string_view::npos) {
    require(!facts.is_object, "a body with a NUL is no object");
    return;
  }
  const json body = json::parse(text, nullptr, false);
  if (body.is_discarded()) return;
  const auto is_other_model = [](const auto& member) { return member.key() != "model" && equals_lower(member.key(), "model"); };
  const auto members = body.items();
  const bool is_read_alike = !body.is_object() || std::none_of(members.begin(), members.end(), is_other_model);
  same(facts.is_object, body.is_object() && is_read_alike, "is an object");
  // A number, true, false or null alone ends with the body, which the scan is not told.
  if (!body.is_structured()) return;
  Sums sums;
  json::sax_parse(text, &sums);
  if (!sums.has_minus_zero) same(facts.text_bytes, sums.text_bytes, "bytes of text");
  same(facts.data_urls, sums.data_urls, "data URLs");
  same(facts.links, sums.links, "links");
  if (!body.is_object()) return;
  check_model(facts, body, text);
  same(facts.stream, is_true(body, "stream"), "stream");
  same(facts.background, is_true(body, "background"), "background");
  const bool tells_store = body.contains("store") && body["store"].is_boolean();
  require(facts.store.has_value() == tells_store && facts.store.value_or(false) == is_true(body, "store"), "store");
  check_counts(facts, body, sums.has_long_number);
  check_word(facts.size, body, "size");
  check_word(facts.quality, body, "quality");
  check_word(facts.response_format, body, "response_format");
  check_word(facts.tier, body, "service_tier");
  check_stored(facts, body);
  if (body.contains("input") && body["input"].is_string()) {
    const auto& input = body["input"].get_ref<const std::string&>();
    same(facts.characters, static_cast<std::int64_t>(count_characters(input)), "characters");
  }
  check_edit(facts, body, text);
}

void check_same(const RequestFacts& split, const RequestFacts& whole) {
  same(split.model, whole.model, "model, in pieces");
  same(split.model_begin, whole.model_begin, "begin of the model, in pieces");
  same(split.model_end, whole.model_end, "end of the model, in pieces");
  same(split.stream, whole.stream, "stream, in pieces");
  same(split.max_tokens.value_or(-1), whole.max_tokens.value_or(-1), "max_tokens, in pieces");
  same(split.n, whole.n, "n, in pieces");
  same(split.best_of, whole.best_of, "best_of, in pieces");
  same(split.prompts, whole.prompts, "prompts, in pieces");
  same(split.background, whole.background, "background, in pieces");
  same(split.refers_to_stored, whole.refers_to_stored, "stored, in pieces");
  same(split.text_bytes, whole.text_bytes, "bytes of text, in pieces");
  same(split.data_urls, whole.data_urls, "data URLs, in pieces");
  same(split.links, whole.links, "links, in pieces");
  same(split.characters, whole.characters, "characters, in pieces");
  same(split.size, whole.size, "size, in pieces");
  same(split.quality, whole.quality, "quality, in pieces");
  same(split.response_format, whole.response_format, "response_format, in pieces");
  same(split.tier, whole.tier, "tier, in pieces");
  same(split.is_object, whole.is_object, "is an object, in pieces");
  same(split.prompt_begin.value_or(0), whole.prompt_begin.value_or(0), "begin of the prompt, in pieces");
  same(split.prompt_key, whole.prompt_key, "key of the prompt, in pieces");
  same(split.objects.size(), whole.objects.size(), "objects, in pieces");
  for (std::size_t i = 0; i < whole.objects.size(); ++i) {
    same(split.objects[i].id, whole.objects[i].id, "id, in pieces");
    same(split.objects[i].member, whole.objects[i].member, "member, in pieces");
    same(split.objects[i].is_item, whole.objects[i].is_item, "item, in pieces");
  }
  const auto one = ask_for_usage(split), other = ask_for_usage(whole);
  require(one.has_value() == other.has_value(), "the change, in pieces");
  if (one) require(one->at == other->at && one->removed == other->removed && one->text == other->text, "the change, in pieces");
}

void check_batch(std::string_view text) {
  BatchFacts whole;
  BatchScan scan(whole);
  feed_all(scan, {text});
  scan.finish();
  require(whole.text_bytes >= 0 && whole.output >= 0 && whole.model.size() <= max_model, "a batch's numbers are within bounds");
  in_pieces(text, [&](const Pieces& pieces) {
    BatchFacts split;
    BatchScan again(split);
    feed_all(again, pieces);
    again.finish();
    same(split.model, whole.model, "model of a batch, in pieces");
    same(split.is_readable, whole.is_readable, "a batch is readable, in pieces");
    same(split.text_bytes, whole.text_bytes, "text of a batch, in pieces");
    same(split.output, whole.output, "output of a batch, in pieces");
    same(split.objects.size(), whole.objects.size(), "objects of a batch, in pieces");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of(data, size);
  RequestFacts whole;
  JsonScan scan(whole);
  feed_all(scan, {text});
  check(whole, text);
  in_pieces(text, [&](const Pieces& pieces) {
    RequestFacts split;
    JsonScan again(split);
    feed_all(again, pieces);
    check_same(split, whole);
  });
  check_batch(text);
  return 0;
}
