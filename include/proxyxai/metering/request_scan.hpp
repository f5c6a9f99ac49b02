#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace proxyxai {

/// What the proxy has to know of a request body.
struct RequestFacts {
  std::string model;    ///< Empty when the body names none; at most `max_model` bytes.
  bool stream = false;  ///< `"stream": true`.

  // How much it may come to.
  std::optional<std::int64_t> max_tokens;  ///< The largest of `max_tokens`, `max_completion_tokens`, `max_output_tokens`.
  std::int64_t n = 1;                      ///< `n`: choices or images; 1 to 1000, what is out of range counts as 1.
  std::int64_t text_bytes = 0;             ///< Bytes of string values, but for `data:` URLs.
  std::int64_t data_urls = 0;              ///< String values that begin with `data:`.
  std::int64_t characters = 0;             ///< Characters (UTF-8 code points) of a top-level string `input` (speech).
  std::int64_t file_bytes = 0;             ///< Multipart: bytes of file parts.
  std::int64_t audio_ms = 0;               ///< Multipart: length of the first file part where it is a WAV file; else 0.
  std::string size, quality;               ///< Of images; at most 32 bytes each.
  std::string response_format;             ///< Multipart, and a top-level string in JSON; at most 32 bytes.
  std::string tier;                        ///< `service_tier`; at most 32 bytes.

  /// Where a JSON body can be made to ask for usage. Offsets into the body.
  struct StreamOptions {
    std::optional<std::uint64_t> object_begin;  ///< Just behind the `{` of the body's object.
    bool body_is_empty = false;                 ///< Nothing but white space stands in that object.
    std::optional<std::uint64_t> options_begin; ///< Just behind the `{` of the last top-level `stream_options` object.
    bool options_is_empty = false;
    std::optional<std::uint64_t> value_begin, value_end;  ///< Of the last `stream_options` member's value, whatever it is.
    std::optional<bool> include_usage;          ///< As the last one says it.
    std::optional<std::uint64_t> include_begin, include_end;  ///< Of that `true`, `false` or other value.
  } stream_options;
};

inline constexpr std::size_t max_model = 256;

/// One change to a body: at `at`, `removed` bytes give way to `text`.
struct BodyEdit {
  std::uint64_t at = 0, removed = 0;
  std::string text;
};
/// The change that makes a streamed chat or completions body ask for usage; nullopt: it does already, or cannot be made to.
std::optional<BodyEdit> ask_for_usage(const RequestFacts& facts);

/// Finds the facts at the top level of a JSON body that is fed in any pieces, in one pass and without a tree. The last of
/// repeated names wins, as in every common decoder. Malformed text gives whatever was found before the fault: judging it
/// is the upstream's. Any thread; one body.
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

/// Finds the form fields of a multipart/form-data body (RFC 7578) that is fed in any pieces; file parts are measured and
/// passed over. Any thread; one body.
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
