#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace mock {

using nlohmann::ordered_json;

/// A request as it came, its body hashed and, when it is small enough, kept.
struct Request {
  std::string method, target, path, query;
  int version = 11;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string key;                ///< The bearer token.
  std::uint64_t body_size = 0;
  std::string body_sha256;        ///< Hexadecimal.
  std::string body;               ///< At most `max_kept_body` bytes: then all of it.
  bool body_kept = true;
  /// Digest and size of the body as answers see it: JSON compact and without `stream_options`, so that a proxy that asks for
  /// usage on the client's behalf gets the same answer.
  std::string seed;
  std::uint64_t seed_size = 0;

  [[nodiscard]] std::string header(std::string_view lower_case_name) const;
  [[nodiscard]] std::uint64_t number(std::string_view lower_case_name, std::uint64_t otherwise) const;
  /// A parameter of the query, decoded; empty: it is not there.
  [[nodiscard]] std::string parameter(std::string_view name) const;
  [[nodiscard]] bool asks(std::string_view lower_case_name) const { return number(lower_case_name, 0) != 0; }
  /// Finds `seed`; call it once the body is complete.
  void settle_seed();
};

inline constexpr std::uint64_t max_kept_body = 8U << 20;

/// What is answered: a body, or events of a stream.
struct Answer {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// Set: a chunked body made of these, each a chunk; nullopt ends it.
  std::function<std::optional<std::string>()> next_piece;
};

std::string to_hex(std::span<const unsigned char> bytes);
std::string sha256_hex(std::string_view text);
std::string base64(std::string_view bytes);

/// Whether the member is there and `true`; what is of another kind is not.
bool is_true(const ordered_json& object, const char* name);
/// The member's text; what is missing or no text counts as empty.
std::string text_of(const ordered_json& object, const char* name);

Answer json_answer(const ordered_json& body, unsigned status = 200);
Answer error_answer(unsigned status, std::string_view type, const ordered_json& code, std::string_view message, const ordered_json& param = nullptr);

}  // namespace mock
