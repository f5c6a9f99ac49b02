#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "proxyxai/metering/usage.hpp"

namespace proxyxai {

class AnswerScan;

/// Reads what an answer used while it passes: JSON bodies and server-sent events, in one pass, without a tree, in pieces of any
/// size. Bodies of other kinds pass unread. Numbers count only where upstream puts them (top level of a JSON answer; `response`
/// of a Responses event), never where a client can plant text of the same look. One answer; loop thread; bounded memory.
class AnswerMeter {
 public:
  struct Answer {
    std::string_view endpoint;      ///< endpoint_names() of proxy/route.hpp, such as `chat/completions`; static storage.
    std::string_view content_type;  ///< Of the answer.
    bool hide_usage = false;        ///< Usage was asked for on the client's behalf: takes the extra chunk and `"usage":null` out again.
  };
  explicit AnswerMeter(const Answer& answer);
  ~AnswerMeter();
  AnswerMeter(const AnswerMeter&) = delete;
  AnswerMeter& operator=(const AnswerMeter&) = delete;

  /// What of the stream may go to the client now. Views into the piece given, or into this object; valid until the next call.
  struct Passed {
    std::span<const std::string_view> views;
    /// Index into `views`: those from here on complete the answer for a client that understands it (`[DONE]`,
    /// `response.completed`, ...) and must leave only once the usage is stored. views.size(): none.
    std::size_t last_from = 0;
  };
  /// Takes the next bytes. With `hide_usage` an event that is not complete yet is held back, up to 64 KiB; beyond, it
  /// passes as it is.
  Passed pass(std::string_view piece);
  /// The end of the body: what was held back.
  Passed finish();

  /// True once the event that ends the stream has come.
  [[nodiscard]] bool has_ended() const;
  /// True while, by all that has come, the text is complete and only its usage is still to come: after a `finish_reason`, after
  /// the `.done` of a part of a response, or once it has ended. Who leaves then has had the whole answer: reading on gives
  /// upstream's own numbers for it. More text, of another choice or part, makes it false again.
  [[nodiscard]] bool is_ending() const;
  /// `usage().given` is false while upstream has told nothing.
  [[nodiscard]] const Usage& usage() const;
  /// The model that answered, in upstream's words; empty: not told.
  [[nodiscard]] std::string_view model() const;
  /// Upstream has said by which tier it served, be it the usual one, for which `usage().tier` is empty.
  [[nodiscard]] bool tells_tier() const;
  /// Output tokens that have passed so far, estimated: the larger of one for each event with text and one for each four
  /// bytes of text. For aborts, cut streams and credit that runs out in mid-stream. Audio counts by its length; a transcript as
  /// text, be it in JSON, plain or subtitles: where upstream tells no length, four times this is how many bytes were said.
  [[nodiscard]] std::int64_t delivered_tokens() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// What one JSON event of a realtime or Responses WebSocket told.
struct EventUsage {
  Usage usage;               ///< `given` when the event carries usage.
  std::string model;
  std::int64_t delivered = 0;  ///< As AnswerMeter::delivered_tokens, of this event.
};

/// Reads such events as upstream sends them, one after another, in pieces of any size. One connection; loop thread; bounded
/// memory.
class EventReader {
 public:
  EventReader();
  ~EventReader();
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;

  void feed(std::string_view piece);
  /// The event is complete: what it told. What is fed next is another.
  EventUsage end();

 private:
  std::unique_ptr<AnswerScan> scan_;
};

}  // namespace proxyxai
