#include "proxyxai/metering/answer_meter.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "answer_scan.hpp"
#include "cue_scan.hpp"
#include "event_lines.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t max_held = 64 << 10;
constexpr std::size_t none = ~std::size_t{0};
constexpr std::uint64_t bytes_a_token = 4;
constexpr std::string_view done = "[DONE]";

/// What the endpoint's answers are, as a body or as events.
AnswerKind kind_of(std::string_view endpoint, bool is_events) {
  if (endpoint == "chat/completions" || endpoint == "completions") return AnswerKind::completions;
  if (endpoint == "responses") return is_events ? AnswerKind::response_event : AnswerKind::responses;
  if (endpoint == "embeddings") return AnswerKind::plain;
  if (endpoint == "audio/speech") return AnswerKind::speech;
  if (endpoint == "audio/transcriptions" || endpoint == "audio/translations") return AnswerKind::audio;
  if (endpoint.starts_with("images/")) return AnswerKind::images;
  if (endpoint == "threads") return AnswerKind::runs;
  return AnswerKind::unread;
}

/// Events after which a client has its whole answer.
bool ends_answer(std::string_view type) {
  if (type.empty()) return false;
  return type == "response.completed" || type == "response.incomplete" || type == "response.failed" || type == "error" ||
         type == "speech.audio.done" || type == "transcript.text.done" || type == "image_generation.completed" ||
         type == "image_edit.completed" || type == "done";
}

/// The default tier is told as none.
std::string_view told_tier(const AnswerScan& scan) {
  return scan.tier() == "default" ? std::string_view() : std::string_view(scan.tier());
}

std::unique_ptr<AnswerScan> new_event() { return std::make_unique<AnswerScan>(AnswerKind::response_event, false); }

}  // namespace

struct AnswerMeter::Impl {
  enum class Format : std::uint8_t { unread, json, events, cues };

  explicit Impl(const Answer& answer)
      : format(format_of(answer)), kind(kind_of(answer.endpoint, format == Format::events)),
        hides(answer.hide_usage && format == Format::events), scan(kind, format == Format::events) {
    if (kind == AnswerKind::unread) format = Format::unread;
  }

  static Format format_of(const Answer& answer) {
    if (has_media_type(answer.content_type, "text/event-stream")) return Format::events;
    if (has_media_type(answer.content_type, "application/json")) return Format::json;
    return kind_of(answer.endpoint, false) == AnswerKind::audio ? Format::cues : Format::unread;
  }

  Passed pass(std::string_view piece);
  Passed finish();
  [[nodiscard]] std::int64_t delivered() const;

  // What EventLines tells.
  void on_data_line();
  void on_data(std::string_view bytes, std::size_t at);
  void on_event_end(std::size_t end);
  void on_late_line_feed(std::size_t end);

  void match_done(std::string_view& bytes);
  void take_document();
  void set_ended();
  void end_document();
  void emit(std::string_view bytes);
  void emit_event(std::string_view event);
  Passed show(std::string_view bytes);

  Format format;
  const AnswerKind kind;
  const bool hides;
  AnswerScan scan;
  EventLines lines;
  CueScan cues;

  Usage usage;
  bool has_ended = false, is_ending = false;
  std::uint64_t text_bytes = 0, text_events = 0;

  // Of the event.
  std::uint64_t data_lines = 0;
  std::uint64_t data_size = 0;
  std::uint64_t data_begin = 0;     // of the data in the event
  std::size_t done_matched = 0;     // bytes of `[DONE]`; more: it is something else
  bool is_taken = false;            // the document's numbers have been taken
  bool passes_as_is = false;        // too large to hold

  // Of the piece.
  std::string_view piece;
  std::size_t event_at = 0;         // where the event begins in it
  std::size_t last_at = none;       // where the event that ends the answer begins, in what passes

  std::string held;                 // of the event, from earlier pieces
  std::string out;                  // what passes, with hide_usage
  bool dropped = false;             // the last event did not pass
  std::array<std::string_view, 2> views;
};

AnswerMeter::Passed AnswerMeter::Impl::pass(std::string_view bytes) {
  piece = bytes;
  event_at = 0;
  last_at = has_ended ? 0 : none;
  out.clear();
  switch (format) {
    case Format::unread: break;
    case Format::cues:
      cues.feed(bytes);
      text_bytes += bytes.size();
      break;
    case Format::json:
      scan.feed(bytes);
      if (scan.is_closed() && !is_taken) {
        take_document();
        set_ended();
      }
      break;
    case Format::events:
      lines.feed(*this, bytes);
      if (hides) {
        const std::string_view rest = bytes.substr(event_at);
        if (passes_as_is) emit(rest);
        else held.append(rest);
        if (held.size() > max_held) {
          emit(held);
          held.clear();
          passes_as_is = true;
        }
      }
      break;
  }
  return show(hides ? std::string_view(out) : bytes);
}

AnswerMeter::Passed AnswerMeter::Impl::finish() {
  piece = {};
  event_at = 0;
  last_at = 0;
  out.clear();
  switch (format) {
    case Format::unread: break;
    case Format::json:
      if (!is_taken) take_document();
      break;
    case Format::events: lines.finish(*this); break;
    case Format::cues:
      cues.finish();
      usage.milliseconds = cues.milliseconds();
      usage.given = usage.milliseconds > 0;
      break;
  }
  return show(out);
}

AnswerMeter::Passed AnswerMeter::Impl::show(std::string_view bytes) {
  std::size_t count = 0;
  const std::size_t first = std::min(last_at, bytes.size());
  if (first > 0) views[count++] = bytes.substr(0, first);
  const std::size_t last_from = count;
  if (first < bytes.size()) views[count++] = bytes.substr(first);
  return {std::span(views.data(), count), last_from};
}

void AnswerMeter::Impl::on_data_line() {
  // A line end joins it to the one before.
  if (++data_lines > 1 && !is_taken) scan.feed("\n");
}

void AnswerMeter::Impl::on_data(std::string_view bytes, std::size_t at) {
  if (data_size == 0) data_begin = held.size() + (at - event_at);
  if (data_size == done_matched && done_matched < done.size()) match_done(bytes);
  data_size += bytes.size();
  scan.feed(bytes);
  if (scan.is_closed() && !is_taken) take_document();
}

/// `[DONE]`, byte by byte as it comes.
void AnswerMeter::Impl::match_done(std::string_view& bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && done_matched < done.size() && bytes[used] == done[done_matched]) {
    ++used;
    ++done_matched;
  }
  data_size += used;
  bytes.remove_prefix(used);
  if (done_matched == done.size()) {
    is_taken = true;
    set_ended();
  } else if (!bytes.empty()) {
    scan.feed(done.substr(0, done_matched));
    done_matched = done.size() + 1;
  }
}

void AnswerMeter::Impl::take_document() {
  is_taken = true;
  if (const std::uint64_t bytes = scan.text_bytes(); bytes > 0) {
    text_bytes += bytes;
    ++text_events;
  }
  if (scan.ends_text()) is_ending = true;
  else if (scan.goes_on()) is_ending = false;
  if (scan.has_usage()) {
    Usage told;
    scan.write_usage(told);
    // Each finished picture of a stream has its own event; elsewhere the last numbers are the sums so far.
    if (kind == AnswerKind::images && format == Format::events) usage.add(told);
    else usage = std::move(told);
  }
  if (format == Format::events && scan.is_closed() && (scan.has_error() || ends_answer(scan.type()))) set_ended();
}

void AnswerMeter::Impl::set_ended() {
  if (has_ended) return;
  has_ended = true;
  // A body is complete with this piece; of events, what came before goes on its own.
  if (!hides) last_at = format == Format::events ? event_at : 0;
}

void AnswerMeter::Impl::on_event_end(std::size_t end) {
  if (data_size > 0 && !is_taken) take_document();
  if (ends_answer(lines.event())) set_ended();
  if (hides) emit_event(piece.substr(event_at, end - event_at));
  end_document();
  event_at = end;
}

void AnswerMeter::Impl::end_document() {
  if (data_lines > 0) scan.restart();
  data_lines = data_size = 0;
  done_matched = 0;
  is_taken = passes_as_is = false;
}

void AnswerMeter::Impl::on_late_line_feed(std::size_t end) {
  if (hides && !dropped) emit(piece.substr(event_at, end - event_at));
  event_at = end;
}

void AnswerMeter::Impl::emit(std::string_view bytes) {
  if (has_ended && last_at == none) last_at = out.size();
  out.append(bytes);
}

/// The event whose last bytes are `event`, without what was asked for on the client's behalf.
void AnswerMeter::Impl::emit_event(std::string_view event) {
  dropped = !passes_as_is && scan.is_usage_chunk();
  if (!held.empty()) {
    held.append(event);
    event = held;
  }
  if (!dropped) {
    std::size_t from = 0;
    // The offsets of a document on several lines are not those of the event; upstream sends none.
    if (!passes_as_is && data_lines == 1) {
      for (const AnswerScan::Cut& cut : scan.cuts()) {
        const auto begin = static_cast<std::size_t>(data_begin + cut.begin);
        emit(event.substr(from, begin - from));
        from = static_cast<std::size_t>(data_begin + cut.end);
      }
    }
    emit(event.substr(from));
  }
  held.clear();
}

std::int64_t AnswerMeter::Impl::delivered() const {
  std::uint64_t bytes = text_bytes, events = text_events;
  if (!is_taken && scan.text_bytes() > 0) {
    bytes += scan.text_bytes();
    ++events;
  }
  return static_cast<std::int64_t>(std::max(events, bytes / bytes_a_token));
}

AnswerMeter::AnswerMeter(const Answer& answer) : impl_(std::make_unique<Impl>(answer)) {}
AnswerMeter::~AnswerMeter() = default;
AnswerMeter::Passed AnswerMeter::pass(std::string_view piece) { return impl_->pass(piece); }
AnswerMeter::Passed AnswerMeter::finish() { return impl_->finish(); }
bool AnswerMeter::has_ended() const { return impl_->has_ended; }
bool AnswerMeter::is_ending() const { return impl_->has_ended || impl_->is_ending; }
const Usage& AnswerMeter::usage() const {
  impl_->usage.tier = told_tier(impl_->scan);
  return impl_->usage;
}
bool AnswerMeter::tells_tier() const { return !impl_->scan.tier().empty(); }
std::string_view AnswerMeter::model() const { return impl_->scan.model(); }
std::int64_t AnswerMeter::delivered_tokens() const { return impl_->delivered(); }

EventReader::EventReader() : scan_(new_event()) {}
EventReader::~EventReader() = default;

void EventReader::feed(std::string_view piece) { scan_->feed(piece); }

EventUsage EventReader::end() {
  EventUsage told;
  if (scan_->has_usage()) scan_->write_usage(told.usage);
  told.usage.tier = told_tier(*scan_);
  told.model = scan_->model();
  if (const std::uint64_t bytes = scan_->text_bytes(); bytes > 0) {
    told.delivered = static_cast<std::int64_t>(std::max<std::uint64_t>(1, bytes / bytes_a_token));
  }
  // A new one, for restart() keeps the model and the tier.
  scan_ = new_event();
  return told;
}

}  // namespace proxyxai
