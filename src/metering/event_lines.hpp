#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace proxyxai {

/// Splits a stream of server-sent events (WHATWG HTML 9.2) that comes in pieces of any size: CR, LF and CRLF end a line,
/// an empty line ends an event. One stream; loop thread; bounded memory.
///
/// A sink has
///   void on_data(std::string_view, std::size_t at)   bytes of the event's data, which stand at `at` in the piece
///   void on_data_line()                              another `data` line begins
///   void on_event_end(std::size_t end)               an event ends before `end` in the piece; its empty line belongs to it
///   void on_late_line_feed(std::size_t end)          the last event's line end goes on: a CR was followed by an LF
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
class EventLines {
 public:
  template <class Sink>
  void feed(Sink& sink, std::string_view piece) {
    const char* const begin = piece.data();
    const char* const end = begin + piece.size();
    const char* line_feed = nullptr;
    for (const char* at = begin; at != end;) {
      if (after_return_) {
        after_return_ = false;
        if (*at == '\n') {
          ++at;
          if (is_event_start_) sink.on_late_line_feed(static_cast<std::size_t>(at - begin));
          continue;
        }
      }
      if (*at == '\n') {
        ++at;
        end_line(sink, static_cast<std::size_t>(at - begin));
        continue;
      }
      // Looked for once, however many CRs come before it.
      if (line_feed == nullptr || line_feed < at) line_feed = find(at, end, '\n');
      const char* const stop = find(at, line_feed, '\r');
      read(sink, begin, at, stop);
      if (stop == end) return;
      after_return_ = *stop == '\r';
      at = stop + 1;
      end_line(sink, static_cast<std::size_t>(at - begin));
    }
  }

  /// What follows the last byte is nothing: ends the line and the event that are open.
  template <class Sink>
  void finish(Sink& sink) {
    if (field_ != Field::none) end_line(sink, 0);
    if (!is_event_start_) end_line(sink, 0);
  }

  /// The event's name; empty: none, or one longer than any that matters.
  [[nodiscard]] std::string_view event() const { return {event_.data(), event_size_ <= event_.size() ? event_size_ : 0}; }

 private:
  enum class Field : std::uint8_t { none, name, space, data, event, other };

  static const char* find(const char* at, const char* end, char c) {
    const void* const found = at == end ? nullptr : std::memchr(at, c, static_cast<std::size_t>(end - at));
    return found == nullptr ? end : static_cast<const char*>(found);
  }

  /// Bytes of one line, without its end.
  template <class Sink>
  void read(Sink& sink, const char* begin, const char* at, const char* const stop) {
    if (at == stop) return;
    is_event_start_ = false;
    // As upstream writes them; the long way is for everything else.
    const std::string_view line(at, static_cast<std::size_t>(stop - at));
    static constexpr std::string_view data = "data: ", event = "event: ";
    if (field_ == Field::none && line.starts_with(data)) {
      field_ = Field::data;
      sink.on_data_line();
      at += data.size();
    } else if (field_ == Field::none && line.starts_with(event)) {
      field_ = Field::event;
      event_size_ = 0;
      at += event.size();
    }
    while (at != stop && field_ <= Field::space) read_name(sink, *at, at);
    if (at == stop) return;
    const std::string_view bytes(at, static_cast<std::size_t>(stop - at));
    if (field_ == Field::data) sink.on_data(bytes, static_cast<std::size_t>(at - begin));
    else if (field_ == Field::event) keep_event(bytes);
  }

  /// One byte before the value; steps over it unless it is the value's first.
  template <class Sink>
  void read_name(Sink& sink, char c, const char*& at) {
    if (field_ == Field::space) {
      field_ = value_;
      if (c == ' ') ++at;
      return;
    }
    field_ = Field::name;
    ++at;
    if (c != ':') {
      if (name_size_ < name_.size()) name_[name_size_] = c;
      // One too long stays too long.
      if (name_size_ <= name_.size()) ++name_size_;
      return;
    }
    field_ = Field::space;
    const std::string_view name(name_.data(), name_size_ <= name_.size() ? name_size_ : 0);
    value_ = name == "data" ? Field::data : name == "event" ? Field::event : Field::other;
    if (value_ == Field::data) sink.on_data_line();
    else if (value_ == Field::event) event_size_ = 0;
  }

  void keep_event(std::string_view bytes) {
    const std::size_t room = event_size_ <= event_.size() ? event_.size() - event_size_ : 0;
    bytes.copy(event_.data() + event_size_, room);
    event_size_ = bytes.size() <= room ? event_size_ + bytes.size() : event_.size() + 1;
  }

  template <class Sink>
  void end_line(Sink& sink, std::size_t end) {
    const bool is_empty = field_ == Field::none;
    field_ = Field::none;
    name_size_ = 0;
    if (!is_empty) return;
    sink.on_event_end(end);
    event_size_ = 0;
    is_event_start_ = true;
  }

  Field field_ = Field::none, value_ = Field::other;
  bool after_return_ = false;
  bool is_event_start_ = true;   // nothing of an event has come since the last one ended
  std::size_t name_size_ = 0, event_size_ = 0;
  std::array<char, 8> name_;
  std::array<char, 48> event_;
};

}  // namespace proxyxai
