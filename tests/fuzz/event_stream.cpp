// Server-sent events, and subtitles: the first line names the endpoint, then `hide` where usage was asked for on the client's
// behalf, or `cues`; the rest is the body. The pieces it comes in make no difference, it passes as it is, and hiding only takes out.
#include "metered.hpp"
#include "metering/event_lines.hpp"
#include "proxyxai/metering/object_scan.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;

namespace {

constexpr std::string_view endpoints[] = {"chat/completions", "completions", "responses", "embeddings", "audio/speech", "audio/transcriptions",
                                          "images/generations", "threads", "other"};

bool is_taken_from(std::string_view part, std::string_view whole) {
  std::size_t at = 0;
  for (const char c : whole) at += at < part.size() && part[at] == c;
  return at == part.size();
}

/// What a splitter of whole lines finds in whole text (WHATWG HTML 9.2.6).
class Lines {
 public:
  explicit Lines(std::string_view text) {
    while (!text.empty()) {
      const auto end = text.find_first_of("\r\n");
      on_line(text.substr(0, end));
      if (end == text.npos) break;
      text.remove_prefix(end + (text.substr(end).starts_with("\r\n") ? 2 : 1));
    }
    if (is_open_) on_line({});
  }
  std::string told;

 private:
  void on_line(std::string_view line) {
    if (line.empty()) {
      told += "event(" + event_ + ")\n";
      event_.clear();
      is_open_ = has_data_ = false;
      return;
    }
    is_open_ = true;
    const auto colon = line.find(':');
    // The splitter makes nothing of a name without a colon: such a line has no value.
    if (colon == line.npos) return;
    auto value = line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (line.substr(0, colon) == "data") {
      told += (has_data_ ? "+" : "data ");
      told += value;
      has_data_ = true;
    } else if (line.substr(0, colon) == "event") {
      event_ = value.size() <= 48 ? value : std::string_view();
    }
  }
  std::string event_;
  bool is_open_ = false, has_data_ = false;
};

struct Told {
  EventLines lines;
  std::string told;
  std::size_t data_lines = 0;
  void feed(std::string_view piece) { lines.feed(*this, piece); }
  void on_data(std::string_view bytes, std::size_t) { told += bytes; }
  void on_data_line() { told += data_lines++ == 0 ? "data " : "+"; }
  void on_event_end(std::size_t) {
    told += "event(" + std::string(lines.event()) + ")\n";
    data_lines = 0;
  }
  void on_late_line_feed(std::size_t) {}
};

std::string told_of(const Pieces& pieces) {
  Told told;
  feed_all(told, pieces);
  told.lines.finish(told);
  return told.told;
}

void check_objects(std::string_view body, ObjectScan::Format format) {
  const auto read = [&](const Pieces& pieces) {
    ObjectScan scan(format, "resp_");
    feed_all(scan, pieces);
    std::string told = scan.own_id() + "|" + scan.status() + "|" + scan.tuned_model();
    for (const ObjectName& each : scan.take()) told += "|" + each.id;
    return told;
  };
  const std::string whole = read({body});
  in_pieces(body, [&](const Pieces& pieces) { same(read(pieces), whole, "objects that an answer tells"); });
}

void check_socket_events(std::string_view text) {
  const auto read = [&](const Pieces& pieces) {
    EventReader reader;
    feed_all(reader, pieces);
    return reader.end();
  };
  const EventUsage whole = read({text});
  check_usage(whole.usage, 1);
  require(whole.delivered >= 0 && whole.delivered <= static_cast<std::int64_t>(text.size()), "no more is delivered than has come");
  in_pieces(text, [&](const Pieces& pieces) {
    const EventUsage split = read(pieces);
    same_usage(split.usage, whole.usage);
    same(split.model, whole.model, "model of an event");
    same(split.delivered, whole.delivered, "delivered by an event");
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view body = text_of(data, size);
  const std::string_view line = take_line(body);
  const bool hides = line.ends_with(" hide"), is_cues = line.ends_with(" cues");
  AnswerMeter::Answer answer{endpoints[0], is_cues ? "text/vtt" : "text/event-stream", hides};
  for (const std::string_view each : endpoints) {
    if (line.substr(0, line.find(' ')) == each) answer.endpoint = each;
  }
  const Metered metered = meter_in_pieces(answer, body);
  if (!hides) same(metered.passed, body, "what passes");
  require(is_taken_from(metered.passed, body), "what passes is of the body");
  require(metered.passed.starts_with(metered.before_last), "the last comes last");

  const std::string told = told_of({body});
  same(told, Lines(body).told, "events");
  in_pieces(body, [&](const Pieces& pieces) { same(told_of(pieces), told, "events, in pieces"); });
  for (const auto format : {ObjectScan::Format::json, ObjectScan::Format::events, ObjectScan::Format::first_event}) check_objects(body, format);
  check_socket_events(body);
  return 0;
}
