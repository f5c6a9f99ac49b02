#pragma once

#include <string>
#include <string_view>

namespace proxyxai {

/// What an upstream error body says: `{"error":{"message","type","code"}}`. Fields are empty when they are absent, null
/// or no text.
struct ErrorBody {
  std::string code;
  std::string type;
  std::string message;

  /// True when `token` is the code or the type, exactly: a message that merely quotes it proves nothing.
  [[nodiscard]] bool is(std::string_view token) const { return code == token || type == token; }
  /// True when the code or the type ends in `suffix` and is more than that.
  [[nodiscard]] bool ends_in(std::string_view suffix) const;
  /// True when the message has `lower`, in any case, at the beginning of a word.
  [[nodiscard]] bool mentions(std::string_view lower) const;
};

/// Reads what there is: of a body that is cut or broken, the fields before the break. What is no JSON becomes the
/// message. Never throws for its input.
ErrorBody read_error_body(std::string_view body);

/// Position of `lower` in `text` in any case, at the beginning of a word; npos when it is not there.
std::size_t find_phrase(std::string_view text, std::string_view lower);

}  // namespace proxyxai
