#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/metering/json_walk.hpp"
#include "usage_reader.hpp"

namespace proxyxai {

/// What an answer is, which decides where its numbers stand.
enum class AnswerKind : std::uint8_t {
  unread,
  completions,  ///< Chat and legacy: usage at the top, text in `choices`.
  responses,    ///< A response: usage at the top.
  response_event,  ///< An event of one, or of a socket: usage in `response`; at the top only of a transcription.
  plain,        ///< Usage at the top (embeddings).
  speech,       ///< The same; what comes out is audio.
  audio,        ///< The same, or a `duration`.
  images,       ///< The same, or as many as `data` has.
  runs,         ///< The same of a `thread.run`, not of its steps and messages.
};

/// Finds the numbers of one JSON document of an answer, be it the body or an event's data. One answer; loop thread.
class AnswerScan {
 public:
  /// A stretch of the document that goes: offsets into it.
  struct Cut {
    std::uint64_t begin, end;
  };

  /// `repeats`: many documents will come, which are likely to begin alike.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
  AnswerScan(AnswerKind kind, bool repeats) : kind_(kind), repeats_(repeats) {}
  ~AnswerScan() = default;
  AnswerScan(const AnswerScan&) = delete;
  AnswerScan& operator=(const AnswerScan&) = delete;

  void feed(std::string_view piece);
  /// A new document; the model and the tier stay.
  void restart();

  [[nodiscard]] bool is_closed() const { return walk_.is_closed(); }
  /// True when `write_usage` has something to tell.
  [[nodiscard]] bool has_usage() const;
  void write_usage(Usage& usage) const;

  [[nodiscard]] std::string_view type() const { return {type_.data(), document_.type_size}; }
  [[nodiscard]] bool has_error() const { return document_.has_error; }
  [[nodiscard]] std::string_view model() const { return {model_.data(), model_size_}; }
  [[nodiscard]] const std::string& tier() const { return tier_; }
  /// Bytes of text that this document delivers; audio counts as the text of as many tokens.
  [[nodiscard]] std::uint64_t text_bytes() const;
  /// The text is complete, or a part of it is.
  [[nodiscard]] bool ends_text() const;
  /// More text comes, or something that it comes in.
  [[nodiscard]] bool goes_on() const { return text_bytes() > 0 || type().ends_with(".added"); }
  /// The chunk that only tells usage: `choices` is empty.
  [[nodiscard]] bool is_usage_chunk() const {
    return document_.has_choices && document_.choices_are_empty && document_.usage != UsageState::none;
  }
  /// The members `"usage":null` at the top, each with one comma, in order.
  [[nodiscard]] const std::vector<Cut>& cuts() const { return cuts_; }

 private:
  enum class Place : std::uint8_t {
    document, skip, top, response, content, data,
    usage, input_details, cached_details, output_details, choices  // every value is wanted
  };
  enum class Member : std::uint8_t {
    other, type, object, model, tier, size, quality, usage, choices, response, delta, data, duration, error, text, audio, logprobs,
    finish
  };
  enum class UsageState : std::uint8_t { none, open, complete };
  friend class JsonWalk<AnswerScan, Place>;
  static constexpr bool counts_characters = false, reads_skipped_text = false;

  // What JsonWalk tells.
  Place open(Place parent, bool is_object, std::uint64_t at);
  void close(Place place, std::uint64_t end);
  void skipped(Place /*parent*/, std::uint64_t /*end*/) {}
  void name(Place place, std::string_view name, std::uint64_t bytes, std::uint64_t begin, std::uint64_t comma);
  [[nodiscard]] bool is_wanted(Place place) const { return document_.member != Member::other || place >= Place::usage; }
  [[nodiscard]] std::size_t wanted(Place place) const;
  void text(Place place, const JsonText& text);
  void scalar(Place place, std::string_view text, std::uint64_t begin, std::uint64_t end);

  Place open_top(bool is_object, std::uint64_t at);
  Place open_usage(bool is_object, bool in_response);
  static UsageReader::Part part_of(Place place);
  static Place place_of(UsageReader::Part part);
  [[nodiscard]] Member member_of(std::string_view name) const;
  static Member content_member_of(std::string_view name);
  std::string_view skip_opening(std::string_view piece);
  void learn_opening(std::string_view piece);
  void end_opening(std::uint64_t at);
  void top_text(const JsonText& text);
  void set_model(std::string_view told);
  void set_tier(std::string_view told);
  void cut_usage(std::uint64_t end);

  static constexpr std::size_t max_type = 64, max_word = 32, max_cuts = 64, max_opening = 1024;

  /// What one document has told so far; plain data, for it is copied for every event.
  struct Document {
    Member member = Member::other;
    UsageState usage = UsageState::none;
    bool usage_in_response = false;
    bool has_choices = false, choices_are_empty = false;
    bool has_error = false;
    bool is_run = false;
    bool is_finished = false;        // a choice has a reason why it ended
    bool cut_to_next = false;        // the last cut ends where the next member begins
    std::uint8_t type_size = 0;
    std::uint32_t members = 0;       // at the top
    std::uint64_t text_bytes = 0, delta_bytes = 0, audio_bytes = 0;
    std::int64_t data_count = 0, duration = 0;
    std::uint64_t usage_begin = 0, usage_comma = 0;  // of the last member `usage` at the top
  };

  const AnswerKind kind_;
  const bool repeats_;
  Document document_;
  std::array<char, max_type> type_;
  std::vector<Cut> cuts_;
  UsageReader reader_;
  JsonWalk<AnswerScan, Place> walk_;

  // Of the answer.
  std::array<char, JsonWalk<AnswerScan, Place>::max_text> model_;  // longer than what a string holds without an allocation
  std::size_t model_size_ = 0;
  std::string tier_, size_, quality_;

  // The chunks of a chat begin alike, up to their text: one that begins as the last one did is walked from there.
  struct Opening {
    std::string text;                // empty: none is known
    bool is_walked = false;          // what follows is known
    Document document;
    JsonWalk<AnswerScan, Place>::Position position;
  };
  std::uint64_t opening_end_ = 0;    // in the document; 0: it has none
  Opening opening_;
};

}  // namespace proxyxai
