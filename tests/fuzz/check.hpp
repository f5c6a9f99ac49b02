#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

/// What the targets say their properties with. Any that does not hold ends the program, which is what libFuzzer calls a crash.
namespace proxyxai::fuzz {

[[noreturn]] inline void fail(const std::string& what) {
  std::fprintf(stderr, "\nDoes not hold: %s\n", what.c_str());
  std::abort();
}

inline void require(bool holds, const char* what) {
  if (!holds) fail(what);
}

inline std::string shown(std::string_view text) { return "'" + std::string(text) + "'"; }
inline std::string shown(const std::string& text) { return shown(std::string_view(text)); }
inline std::string shown(const char* text) { return shown(std::string_view(text)); }
template <class Number>
std::string shown(const Number& number) {
  return std::to_string(number);
}

/// Both must be equal; `what` is the name of what they are.
template <class A, class B>
void same(const A& got, const B& wanted, const char* what) {
  if (!(got == wanted)) fail(std::string(what) + ": got " + shown(got) + ", not " + shown(wanted));
}

using Pieces = std::vector<std::string_view>;

inline Pieces cut(std::string_view text, std::size_t most, std::uint64_t seed) {
  Pieces pieces;
  while (!text.empty()) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    pieces.push_back(text.substr(0, 1 + static_cast<std::size_t>(seed >> 33) % most));
    text.remove_prefix(pieces.back().size());
  }
  return pieces;
}

/// Calls `use` with `text` byte by byte, if it is short, and in pieces of all sizes. Where they are cut follows from the bytes alone, so that
/// an input does the same each time it is run, and each that libFuzzer makes of it is cut elsewhere.
template <class Use>
void in_pieces(std::string_view text, Use&& use) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  if (text.size() <= 1'024) use(cut(text, 1, hash));
  use(cut(text, 7, hash));
  use(cut(text, 40, hash));
  use(cut(text, 1 + text.size() / 2, hash));
}

/// Feeds each piece from memory of its own size, so that a read beyond it is found out.
template <class Reader>
void feed_all(Reader& reader, const Pieces& pieces) {
  for (const std::string_view piece : pieces) {
    const std::vector<char> copy(piece.begin(), piece.end());
    reader.feed({copy.data(), copy.size()});
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) { return {reinterpret_cast<const char*>(data), size}; }

/// Takes the first line off the front; its LF goes too.
inline std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text = end == text.npos ? std::string_view() : text.substr(end + 1);
  return line;
}

}  // namespace proxyxai::fuzz
