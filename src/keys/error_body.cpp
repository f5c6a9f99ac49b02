#include "error_body.hpp"

#include "proxyxai/base/ascii.hpp"

#include <cstddef>
#include <cstdint>

#include <nlohmann/json.hpp>

namespace proxyxai {
namespace {

using nlohmann::json;

/// Takes the fields of `error`, or of the top level, while the parser walks: so a cut body still tells what came first,
/// and no tree is built of a body that echoes 64 KiB of prompt.
class ErrorReader final : public nlohmann::json_sax<json> {
 public:
  ErrorBody inner;  ///< Fields of the object `error`.
  ErrorBody outer;  ///< Fields of the top level, as some gateways write them.

  bool key(string_t& name) override {
    name_ = name;
    if (depth_ == 1) in_error_ = name == "error";
    return true;
  }
  bool string(string_t& value) override {
    if (depth_ == 1 && in_error_) {
      inner.message = value;
    } else if (depth_ == 1) {
      take(outer, value);
    } else if (depth_ == 2 && in_error_ && in_object_) {
      take(inner, value);
    }
    return true;
  }
  bool start_object(std::size_t) override { return enter(true); }
  bool start_array(std::size_t) override { return enter(false); }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  void take(ErrorBody& into, const string_t& value) const {
    if (name_ == "code") into.code = value;
    if (name_ == "type") into.type = value;
    if (name_ == "message") into.message = value;
  }
  bool enter(bool object) {
    ++depth_;
    if (depth_ == 1 && !object) return false;  // No error we know is an array.
    if (depth_ == 2) in_object_ = object;
    name_.clear();
    return true;
  }
  bool leave() {
    --depth_;
    return true;
  }

  std::size_t depth_ = 0;
  bool in_error_ = false;   ///< The last name of the top level was `error`.
  bool in_object_ = false;  ///< What stands at depth 2 is an object.
  std::string name_;
};

bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool more_than(std::string_view text, std::string_view suffix) {
  return text.size() > suffix.size() && text.ends_with(suffix);
}

}  // namespace

bool ErrorBody::ends_in(std::string_view suffix) const { return more_than(code, suffix) || more_than(type, suffix); }

bool ErrorBody::mentions(std::string_view lower) const { return find_phrase(message, lower) != std::string_view::npos; }

ErrorBody read_error_body(std::string_view body) {
  ErrorReader reader;
  json::sax_parse(body, &reader);
  ErrorBody& inner = reader.inner;
  ErrorBody& outer = reader.outer;
  if (inner.code.empty()) inner.code = std::move(outer.code);
  if (inner.type.empty()) inner.type = std::move(outer.type);
  if (inner.message.empty()) inner.message = std::move(outer.message);
  if (inner.message.empty()) inner.message = body;
  return std::move(inner);
}

std::size_t find_phrase(std::string_view text, std::string_view lower) {
  for (std::size_t i = 0; i + lower.size() <= text.size(); ++i) {
    if (starts_with_lower(text.substr(i), lower) && (i == 0 || !is_word(to_lower(text[i - 1])))) return i;
  }
  return std::string_view::npos;
}

}  // namespace proxyxai
