#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace proxyxai {

/// What the proxy has to know of a request body.
struct RequestFacts {
  std::string model;    ///< Empty when the body names none; at most `max_model` bytes.
  bool stream = false;  ///< `"stream": true`.
};

inline constexpr std::size_t max_model = 256;

/// Finds `model` and `stream` at the top level of a JSON body that is fed in any pieces, in one pass and without a tree.
/// The last of repeated names wins, as in every common decoder. Malformed text gives whatever was found before the fault:
/// judging it is the upstream's. Any thread; one body.
class JsonScan {
 public:
  explicit JsonScan(RequestFacts& facts) : facts_(facts) {}
  void feed(std::string_view piece);

 private:
  enum class Name : std::uint8_t { other, model, stream };
  void on_text(std::string_view piece, std::size_t& at);
  void end_text();
  void on_structure(char c);
  void append(char c);

  RequestFacts& facts_;
  unsigned depth_ = 0;
  bool in_text_ = false;
  bool escaped_ = false;
  bool is_name_ = true;        // at depth 1: the next string is a member's name
  bool kept_ = false;          // the current string is wanted
  std::uint8_t unicode_ = 0;   // hex digits of \uXXXX still to come
  std::uint16_t code_ = 0;
  Name name_ = Name::other;
  std::array<char, max_model> text_;
  std::size_t text_size_ = 0;
};

/// Finds the form field `model` of a multipart/form-data body (RFC 7578) that is fed in any pieces; file parts are passed
/// over. Any thread; one body.
class MultipartScan {
 public:
  /// `content_type` is the request's header value, with its boundary parameter.
  MultipartScan(RequestFacts& facts, std::string_view content_type);
  void feed(std::string_view piece);

 private:
  enum class State : std::uint8_t { preamble, head, value, skip, done };
  enum class Wanted : std::uint8_t { none, model, stream };
  std::size_t step(std::string_view bytes);
  std::size_t seek_delimiter(std::string_view bytes);
  void read_head(std::string_view head);
  void keep_value();

  RequestFacts& facts_;
  State state_ = State::done;
  std::string delimiter_;      // CR LF -- boundary
  std::string held_;           // the tail of the last piece that may be the start of something
  std::string value_;
  Wanted wanted_ = Wanted::none;
};

/// True for the media type `type` (lower case), whatever parameters follow it.
bool has_media_type(std::string_view content_type, std::string_view type);

}  // namespace proxyxai
