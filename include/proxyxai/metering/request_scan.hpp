#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/metering/json_walk.hpp"
#include "proxyxai/metering/object_names.hpp"
#include "proxyxai/metering/wav_scan.hpp"

namespace proxyxai {

/// Output tokens that are counted where a request names no maximum, until upstream tells.
inline constexpr std::int64_t usual_output = 4'096;

/// What the lines of a batch's input file ask for (`{"custom_id","method","url","body":{...}}`, one a line).
struct BatchFacts {
  std::string model;               ///< Of every line; the API takes no file with several.
  bool is_readable = false;        ///< There is a line, each is one JSON object with a `body`, and all name one model.
  std::int64_t text_bytes = 0;     ///< See RequestFacts, of all lines together.
  std::int64_t output = 0;         ///< Tokens that the lines allow; `usual_output` for each that names no maximum.
  std::vector<ObjectName> objects; ///< At most `max_objects`.
  bool has_more_objects = false;
};

/// What the proxy has to know of a request body.
struct RequestFacts {
  std::string model;    ///< Empty when the body names none; at most `max_model` bytes.
  /// Where the body names it, as offsets: JSON: the string with its quotes; a form: the field's content. Both 0: nowhere.
  std::uint64_t model_begin = 0, model_end = 0;
  bool stream = false;  ///< `"stream": true`.

  // How much it may come to.
  std::optional<std::int64_t> max_tokens;  ///< The largest of `max_tokens`, `max_completion_tokens`, `max_output_tokens`.
  std::int64_t n = 1;                      ///< `n`: choices or images; 1 to 1000, what is out of range counts as 1.
  std::int64_t best_of = 1;                ///< `best_of`, in the same way.
  std::int64_t prompts = 1;                ///< Of a top-level array `prompt`: its strings and arrays; at least 1.
  bool background = false;                 ///< `"background": true`.
  /// `previous_response_id`, `conversation` or a stored `prompt` (an object): more is read than the body holds.
  bool refers_to_stored = false;
  /// Bytes of names, strings (decoded, but for `data:` URLs), numbers, true, false and null, wherever they stand: upstream may
  /// read all of them to the model, as it does schemas and arrays of tokens. Of a form: of its fields.
  std::int64_t text_bytes = 0;
  /// String values that begin with `data:`, where one may stand: members `url`, `image_url`, `file_data`. Elsewhere they are text.
  std::int64_t data_urls = 0;
  /// String values of members `url`, `image_url`, `file_url` that begin with `http`, in any case, and of `file_id`: what
  /// upstream fetches.
  std::int64_t links = 0;
  /// Of a top-level `input` (speech): the characters of a string, where half a surrogate pair is one as well; the text bytes of
  /// anything else.
  std::int64_t characters = 0;
  std::int64_t files = 0;                  ///< Multipart: file parts, whatever their names.
  /// Multipart: at least one part was read, and the closing delimiter, and every parser finds the same parts.
  bool form_is_whole = false;
  std::int64_t file_bytes = 0;             ///< Multipart: bytes of file parts.
  std::int64_t audio_ms = 0;               ///< Multipart: length of the first file part where it is a WAV file; else 0.
  std::string size, quality;               ///< Of images; at most 32 bytes each.
  std::string purpose;                     ///< Multipart; at most 32 bytes.
  std::unique_ptr<BatchFacts> batch;       ///< Multipart: of the first file part, where it is read as a batch's.
  std::string response_format;             ///< Multipart, and a top-level string in JSON; at most 32 bytes.
  std::string tier;                        ///< `service_tier`; at most 32 bytes.

  // What it names of upstream's.
  std::vector<ObjectName> objects;         ///< In order, wherever they stand but in top-level `metadata`; at most `max_objects`.
  bool has_more_objects = false;           ///< There were more.
  std::optional<bool> store;               ///< `store`, as a JSON body says it.

  // What upstream may have cached of it.
  std::optional<std::uint64_t> prompt_begin;  ///< Offset of the first of the values of `messages`, `input`, `prompt`.
  std::uint64_t prompt_key = 0;            ///< Hash of `prompt_cache_key`; 0: none.

  /// A JSON body is one object and nothing else, and every decoder reads it alike: it has no NUL byte, as one in another encoding would, and
  /// no name at the top level that some decoders take for `model`, as Go's takes `Model`.
  bool is_object = false;

  /// Where a JSON body can be made to ask for usage. Offsets into the body.
  struct StreamOptions {
    std::optional<std::uint64_t> object_begin;  ///< Just behind the `{` of the body's object.
    bool body_is_empty = false;                 ///< Nothing but white space stands in that object.
    std::optional<std::uint64_t> options_begin; ///< Just behind the `{` of the last top-level `stream_options` object.
    bool options_is_empty = false;
    std::optional<std::uint64_t> value_begin, value_end;  ///< Of the last `stream_options` member's value, whatever it is.
    bool value_is_null = false;
    std::optional<bool> include_usage;          ///< As the last one says it.
    std::optional<std::uint64_t> include_begin, include_end;  ///< Of that `true`, `false` or other value.
  } stream_options;
};

inline constexpr std::size_t max_model = 256, max_objects = 4'096;

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
  /// `is_batch_line`: the facts are those of the object that is the member `body`.
  explicit JsonScan(RequestFacts& facts, bool is_batch_line = false) : facts_(facts), is_batch_line_(is_batch_line) {}
  void feed(std::string_view piece);
  /// Of a batch's line: it has a `body` that is an object.
  [[nodiscard]] bool has_line_body() const { return has_line_body_; }

 private:
  enum class Place : std::uint8_t { document, skip, body, options, prompt };
  enum class Member : std::uint8_t {
    other, model, stream, max_tokens, max_completion_tokens, max_output_tokens, n, best_of, background, prompt,
    previous_response, conversation, input, size, quality, response_format, service_tier, store, metadata, messages, prompt_cache_key, body, stream_options, include_usage
  };
  /// What a string may be by the name before it, and what it then is.
  enum class Url : std::uint8_t { none, data_or_link, data, link, file_id };
  friend class JsonWalk<JsonScan, Place>;
  static constexpr bool counts_characters = true, reads_skipped_text = true;

  // What JsonWalk tells.
  Place open(Place parent, bool is_object, std::uint64_t at);
  void close(Place place, std::uint64_t end);
  void skipped(Place parent, std::uint64_t end);
  void name(Place place, std::string_view name, std::uint64_t bytes, std::uint64_t begin, std::uint64_t comma);
  static bool is_wanted(Place /*place*/) { return true; }
  [[nodiscard]] std::size_t wanted(Place place) const;
  void text(Place place, const JsonText& text);
  void scalar(Place place, std::string_view text, std::uint64_t begin, std::uint64_t end);
  void skipped_text(std::string_view head, std::uint64_t bytes);
  void skipped_name();
  void skipped_rest(std::string_view bytes) { facts_.text_bytes += static_cast<std::int64_t>(count_scalar_bytes(bytes)); }

  static Url url_of(std::string_view name);
  void body_name(std::string_view name);
  std::string* wanted_text();
  void set_maximum(std::optional<std::int64_t> value);
  void set_stored(bool is_told);
  void forget(Member member);
  void set_value_range(Place place, std::uint64_t begin, std::uint64_t end);
  void count_text(std::string_view head, std::uint64_t bytes);
  void name_object(std::string_view head, std::uint64_t bytes);
  void begin_prompt(std::uint64_t at);
  void spoil();

  RequestFacts& facts_;
  const bool is_batch_line_;
  bool has_line_body_ = false;
  Member member_ = Member::other;
  Url next_ = Url::none;        // what the next string may be
  // Of the last string:
  Url last_ = Url::none;        // what it is
  Url last_as_name_ = Url::none;  // what it says of the next, should it prove to be a name in a skipped container
  std::uint64_t last_bytes_ = 0;
  Naming naming_;                // what the last name says of the values behind it
  Naming last_as_naming_;        // what the last string says, should it prove to be a name
  bool is_first_value_ = false;  // nothing stands between that name and the next string
  bool named_last_ = false;      // the last string was taken for the name of an object
  bool is_metadata_ = false;     // in it, names are the caller's own
  bool is_spoilt_ = false;       // something stands beside the object, or a NUL in it
  std::int64_t input_from_ = 0;  // text bytes before `input`
  std::int64_t prompts_ = 0;
  std::array<bool, 3> stored_{};  // by member: prompt, previous_response, conversation
  std::array<std::optional<std::int64_t>, 3> maxima_;
  JsonWalk<JsonScan, Place> walk_;
};

/// Reads the input file of a batch, in pieces of any size. Any thread; one file; bounded memory.
class BatchScan {
 public:
  explicit BatchScan(BatchFacts& facts) : batch_(facts) {}
  void feed(std::string_view piece);
  /// The file has ended.
  void finish();

 private:
  void end_line();

  BatchFacts& batch_;
  RequestFacts facts_;              // of the line
  std::optional<JsonScan> line_;
  bool is_blank_ = true;            // the line, up to now
  bool is_unreadable_ = false;
};

/// Finds the form fields of a multipart/form-data body (RFC 7578) that is fed in any pieces; file parts are measured and
/// passed over. Any thread; one body.
class MultipartScan {
 public:
  /// `content_type` is the request's header value, with its boundary parameter.
  MultipartScan(RequestFacts& facts, std::string_view content_type);
  /// The first file part may be a batch's: it is read as one too, into `facts.batch`.
  void read_batch();
  void feed(std::string_view piece);

 private:
  enum class State : std::uint8_t { preamble, delimiter, closing, head, part, done };
  enum class Part : std::uint8_t { other, file, object, model, stream, n, size, quality, response_format, purpose };
  static Part part_of(std::string_view name);
  std::size_t step(std::string_view bytes);
  std::size_t seek_delimiter(std::string_view bytes);
  std::size_t end_delimiter(std::string_view bytes);
  std::size_t end_closing(std::string_view bytes);
  std::size_t no_delimiter(std::string_view bytes, std::string_view passed);
  std::size_t take_head(std::string_view bytes);
  void read_head(std::string_view head);
  void read_disposition(std::string_view value);
  void on_content(std::string_view content);
  void end_part();
  void name_object();

  RequestFacts& facts_;
  State state_ = State::done;
  Part part_ = Part::other;
  bool has_parts_ = false;
  bool is_clear_ = true;       // nothing has come that parsers understand differently
  unsigned seen_ = 0;          // bits of the fields that have come
  std::size_t line_end_ = 0;   // bytes still to come of the line end before the part's content
  std::uint64_t offset_ = 0;   // of the next byte to be stepped over, where the line end before the body counts as well
  std::uint64_t content_begin_ = 0, content_end_ = 0;  // of the part, in the same way
  std::string delimiter_;      // CR LF -- boundary
  std::string held_;           // the tail of the last piece that may be the start of something
  std::string value_;
  Naming naming_;              // of an `object`
  WavScan wav_;                // of the first file
  std::optional<BatchScan> batch_;
};

/// True for the media type `type` (lower case), whatever parameters follow it.
bool has_media_type(std::string_view content_type, std::string_view type);

/// False when a parameter of the media type says that text is in another charset than UTF-8, or may say so to somebody.
bool is_in_utf8(std::string_view content_type);

}  // namespace proxyxai
