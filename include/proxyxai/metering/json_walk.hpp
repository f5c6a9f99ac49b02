#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/metering/text_run.hpp"

namespace proxyxai {

/// A string of a JSON document.
struct JsonText {
  std::string_view head;         ///< Decoded, at least as many bytes as were wanted; what is not ASCII by escape is `?`.
  std::uint64_t bytes = 0;       ///< Of the whole, decoded to UTF-8.
  std::uint64_t characters = 0;  ///< Of the whole, where the visitor counts them.
  std::uint64_t begin = 0, end = 0;  ///< Offsets of the opening quote and behind the closing one.
};

/// Walks a JSON document that comes in pieces of any size, once and without a tree, and tells a visitor what it meets. The
/// visitor says where each container is (its Place, an enumeration with `document` and `skip`); what is in a container
/// at `skip` is passed over. Malformed text is walked somehow: judging it is for others. Bounded memory, no allocation.
///
/// A visitor has
///   Place open(Place parent, bool is_object, std::uint64_t at)    a container begins at offset `at`
///   void close(Place, std::uint64_t end)                          it has ended
///   void skipped(Place parent, std::uint64_t end)                 the same for one that was skipped
///   void name(Place, std::string_view, std::uint64_t bytes, std::uint64_t begin, std::uint64_t comma)
///                                                                 a member's name, cut at max_name bytes; all its bytes; the
///                                                                 comma before it, or `none`
///   bool is_wanted(Place)                                         whether the value to come is to be told
///   std::size_t wanted(Place)                                     bytes it needs of the next string value, up to max_text
///   void text(Place, const JsonText&)                             a string value
///   void scalar(Place, std::string_view, std::uint64_t begin, std::uint64_t end)
///                                                                 a number, true, false, null; cut at max_scalar bytes
/// and, with `reads_skipped_text`,
///   void skipped_text(std::string_view head, std::uint64_t bytes) a string in a skipped container
///   void skipped_name()                                           the last of them was a member's name
///   void skipped_rest(std::string_view)                           what stands between strings and brackets there, in
///                                                                 pieces; not a comma or colon alone
template <class Visitor, class Place>
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
class JsonWalk {
  struct Level {
    Place place = Place::document;
    bool is_object = false;
  };
  static constexpr unsigned max_depth = 16;

 public:
  static constexpr std::size_t max_text = 256, max_name = 48, max_scalar = 48;
  static constexpr std::uint64_t none = ~std::uint64_t{0};

  void feed(Visitor& visitor, std::string_view piece) {
    begin_ = piece.data();
    const char* at = begin_;
    const char* const end = at + piece.size();
    while (at != end) {
      switch (state_) {
        case State::structure: at = now_.skipped > 0 ? skip(visitor, at, end) : structure(visitor, at, end); break;
        case State::text: at = text(visitor, at, end); break;
        case State::scalar: at = scalar(visitor, at, end); break;
        case State::after_skipped: at = after_skipped(visitor, at, end); break;
      }
    }
    now_.base += piece.size();
  }

  /// A new document.
  void restart() {
    // One by one, not as a whole: the levels above stay as they are, and small stores read back in large ones stall.
    now_.base = now_.skipped = 0;
    now_.comma = none;
    now_.depth = 0;
    now_.is_value = true;
    now_.is_closed = false;
    state_ = State::structure;
  }

  /// A point of a walk that can be returned to.
  class Position {
    friend class JsonWalk;
    std::uint64_t base = 0;      // offset of the piece
    std::uint64_t comma = none;
    std::uint64_t skipped = 0;   // containers open within the skipped one, and itself
    unsigned depth = 0;
    bool is_value = true;        // the next string is a value, not a name
    bool is_closed = false;
    std::array<Level, max_depth> levels{};
  };
  [[nodiscard]] bool is_between_tokens() const { return state_ == State::structure; }
  /// Where the walk is; between tokens only.
  [[nodiscard]] Position position() const { return now_; }
  /// Goes on from `position`, as if what stands before it had just been walked.
  void resume(const Position& position) {
    now_ = position;
    state_ = State::structure;
  }

  /// True once the document's own container has ended.
  [[nodiscard]] bool is_closed() const { return now_.is_closed; }
  [[nodiscard]] bool is_at_start() const { return now_.base == 0; }

 private:
  enum class State : std::uint8_t { structure, text, scalar, after_skipped };
  enum class Role : std::uint8_t { name, value, skipped };

  [[nodiscard]] std::uint64_t offset(const char* at) const { return now_.base + static_cast<std::uint64_t>(at - begin_); }

  const char* structure(Visitor& visitor, const char* at, const char* const end) {
    // In registers: a visitor that is not inlined would have them stored and loaded around every call.
    bool is_value = now_.is_value;
    std::uint64_t comma = now_.comma;
    Level here = level();
    while (at != end) {
      const char c = *at;
      if (c == '"') {
        const char* const close = find_text_end(at + 1, end);
        if (close == end || *close != '"') {
          begin_text(is_value ? Role::value : Role::name, is_value ? visitor.wanted(here.place) : max_name, at++);
          break;
        }
        const std::string_view whole(at + 1, static_cast<std::size_t>(close - at - 1));
        if (!is_value) visitor.name(here.place, whole.substr(0, max_name), whole.size(), offset(at), comma);
        else if (visitor.is_wanted(here.place)) tell_whole(visitor, whole, at);
        at = close + 1;
        if (at != end && *at == ':') {
          is_value = true;
          ++at;
        }
      } else if (c == ',') {
        is_value = !here.is_object;
        comma = offset(at++);
      } else if (is_space(c)) {
        at = find_no_space(at, end);
      } else if (c == '{' || c == '[') {
        if (!open(visitor, c == '{', at++)) break;
        here = level();
        is_value = !here.is_object;
        comma = none;
      } else if (c == '}' || c == ']') {
        close(visitor, ++at);
        here = level();
      } else if (c == ':') {
        is_value = true;
        ++at;
      } else {
        const char* const first = at;
        at = find_scalar_end(at, end);
        const std::string_view whole(first, static_cast<std::size_t>(at - first));
        if (at == end) {
          begin_scalar(first);
          keep(whole);
          break;
        }
        if (!visitor.is_wanted(here.place)) continue;
        visitor.scalar(here.place, whole.substr(0, max_scalar), offset(first), offset(at));
      }
    }
    now_.is_value = is_value;
    now_.comma = comma;
    return at;
  }

  [[nodiscard]] Level level() const { return now_.levels[now_.depth]; }
  [[nodiscard]] Place place() const { return level().place; }

  /// False: what is in it will be skipped.
  bool open(Visitor& visitor, bool is_object, const char* at) {
    const Place inner = visitor.open(place(), is_object, offset(at));
    if (inner == Place::skip || now_.depth + 1 == max_depth) {
      now_.skipped = 1;
      return false;
    }
    now_.levels[++now_.depth] = {inner, is_object};
    return true;
  }

  void close(Visitor& visitor, const char* behind) {
    if (now_.depth == 0) return;
    const Place inner = place();
    if (--now_.depth == 0) now_.is_closed = true;
    visitor.close(inner, offset(behind));
  }

  /// A string value that stands in the piece as it is.
  void tell_whole(Visitor& visitor, std::string_view whole, const char* at) {
    JsonText told;
    told.head = whole.substr(0, max_text);
    told.bytes = whole.size();
    if constexpr (Visitor::counts_characters) told.characters = count_characters(whole);
    told.begin = offset(at);
    told.end = told.begin + whole.size() + 2;
    visitor.text(place(), told);
  }

  /// What stands between strings and brackets.
  static const char* skip_rest(Visitor& visitor, const char* at, const char* const end) {
    if constexpr (Visitor::reads_skipped_text) {
      // Mostly nothing, or one comma or colon.
      if (at == end || is_bracket_or_quote(*at)) return at;
      const char* const first = at;
      if (is_between_values(*at) && (++at == end || is_bracket_or_quote(*at))) return at;
      at = find_bracket_or_quote(at, end);
      visitor.skipped_rest({first, static_cast<std::size_t>(at - first)});
      return at;
    }
    return find_bracket_or_quote(at, end);
  }

  const char* skip(Visitor& visitor, const char* at, const char* const end) {
    for (;;) {
      at = skip_rest(visitor, at, end);
      if (at == end) return at;
      const char c = *at;
      if (c == '"') {
        const char* const close = find_text_end(at + 1, end);
        if (close == end || *close != '"') {
          begin_text(Role::skipped, Visitor::reads_skipped_text ? max_text : 0, at);
          return at + 1;
        }
        if constexpr (Visitor::reads_skipped_text) {
          const auto size = static_cast<std::size_t>(close - at - 1);
          visitor.skipped_text({at + 1, size}, size);
          at = close + 1;
          if (at == end || is_space(*at)) {
            state_ = State::after_skipped;
            return at;
          }
          if (*at == ':') visitor.skipped_name();
        } else {
          at = close + 1;
        }
        continue;
      }
      ++at;
      if (c == '{' || c == '[') {
        ++now_.skipped;
      } else if (--now_.skipped == 0) {
        if (now_.depth == 0) now_.is_closed = true;
        visitor.skipped(place(), offset(at));
        return at;
      }
    }
  }

  /// Behind a string in a skipped container: a colon makes it a name.
  const char* after_skipped(Visitor& visitor, const char* at, const char* const end) {
    at = find_no_space(at, end);
    if (at == end) return at;
    state_ = State::structure;
    if constexpr (Visitor::reads_skipped_text) {
      if (*at == ':') visitor.skipped_name();
    }
    return at;
  }

  void begin_text(Role role, std::size_t limit, const char* at) {
    state_ = State::text;
    role_ = role;
    limit_ = limit < max_text ? limit : max_text;
    kept_size_ = 0;
    text_ = {};
    text_.begin = offset(at);
    is_escaped_ = false;
    is_after_high_ = false;
    hex_left_ = 0;
  }

  /// A string that has escapes, or goes on in another piece.
  const char* text(Visitor& visitor, const char* at, const char* const end) {
    while (at != end) {
      if (hex_left_ > 0) {
        on_hex(*at++);
      } else if (is_escaped_) {
        is_escaped_ = false;
        on_escape(*at++);
      } else {
        const char* const stop = find_text_end(at, end);
        const std::string_view run(at, static_cast<std::size_t>(stop - at));
        keep(run);
        if (!run.empty()) is_after_high_ = false;
        text_.bytes += run.size();
        if constexpr (Visitor::counts_characters) text_.characters += count_characters(run);
        at = stop;
        if (at == end) break;
        if (*at++ == '"') {
          end_text(visitor, at);
          break;
        }
        is_escaped_ = true;
      }
    }
    return at;
  }

  void on_escape(char c) {
    if (c == 'u') {
      hex_left_ = 4;
      code_ = 0;
      return;
    }
    switch (c) {
      case 'b': c = '\b'; break;
      case 'f': c = '\f'; break;
      case 'n': c = '\n'; break;
      case 'r': c = '\r'; break;
      case 't': c = '\t'; break;
      default: break;
    }
    keep({&c, 1});
    is_after_high_ = false;
    ++text_.bytes;
    ++text_.characters;
  }

  void on_hex(char digit) {
    const int value = hex_digit(digit);
    code_ = static_cast<std::uint16_t>(code_ << 4 | (value < 0 ? 0 : value));
    if (--hex_left_ > 0) return;
    const char c = code_ < 0x80 ? static_cast<char>(code_) : '?';
    keep({&c, 1});
    // The second half of a surrogate pair makes no character of its own; with the first it takes four bytes. One that stands
    // alone is a character to decoders that take it.
    const bool is_second = is_after_high_ && code_ >= 0xdc00 && code_ < 0xe000;
    is_after_high_ = code_ >= 0xd800 && code_ < 0xdc00;
    text_.bytes += code_ < 0x80 || is_second ? 1 : code_ < 0x800 ? 2 : 3;
    text_.characters += is_second ? 0 : 1;
  }

  void end_text(Visitor& visitor, const char* behind) {
    state_ = State::structure;
    text_.head = {kept_.data(), kept_size_};
    text_.end = offset(behind);
    switch (role_) {
      case Role::name: visitor.name(place(), text_.head, text_.bytes, text_.begin, now_.comma); break;
      case Role::value:
        if (visitor.is_wanted(place())) visitor.text(place(), text_);
        break;
      case Role::skipped:
        if constexpr (Visitor::reads_skipped_text) {
          visitor.skipped_text(text_.head, text_.bytes);
          state_ = State::after_skipped;
        }
        break;
    }
  }

  void begin_scalar(const char* at) {
    state_ = State::scalar;
    limit_ = max_scalar;
    kept_size_ = 0;
    text_.begin = offset(at);
  }

  /// A scalar that goes on in another piece.
  const char* scalar(Visitor& visitor, const char* at, const char* const end) {
    const char* const first = at;
    at = find_scalar_end(at, end);
    keep({first, static_cast<std::size_t>(at - first)});
    if (at == end) return at;
    state_ = State::structure;
    if (visitor.is_wanted(place())) visitor.scalar(place(), {kept_.data(), kept_size_}, text_.begin, offset(at));
    return at;
  }

  void keep(std::string_view run) {
    const std::size_t room = limit_ - kept_size_;
    const std::size_t size = run.size() < room ? run.size() : room;
    if (size == 0) return;
    std::memcpy(kept_.data() + kept_size_, run.data(), size);
    kept_size_ += size;
  }

  Position now_;
  State state_ = State::structure;
  const char* begin_ = nullptr;  // of the piece
  // Of a string or scalar that goes on.
  Role role_ = Role::name;
  bool is_escaped_ = false;
  bool is_after_high_ = false;   // right behind an escape that is the first half of a surrogate pair
  std::uint8_t hex_left_ = 0;    // digits of \uXXXX still to come
  std::uint16_t code_ = 0;
  std::size_t limit_ = 0, kept_size_ = 0;
  JsonText text_;
  std::array<char, max_text> kept_;
};

}  // namespace proxyxai
