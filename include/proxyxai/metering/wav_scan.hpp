#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace proxyxai {

/// Reads how long a WAV file (RIFF, little endian) is while it passes in pieces of any size. Any thread; one file.
class WavScan {
 public:
  void feed(std::string_view piece);
  /// Of what was fed so far; 0: no WAV file. A header that claims more data than there are, or does not know, gives way to
  /// the bytes that came.
  [[nodiscard]] std::int64_t milliseconds() const;

 private:
  enum class State : std::uint8_t { file_head, chunk_head, format, skip, data, no_wav };
  void on_head();
  void begin_chunk();
  void read_format();
  void expect(State state, std::size_t size);

  State state_ = State::file_head;
  std::array<char, 16> head_{};
  std::size_t filled_ = 0, needed_ = 12;
  std::uint64_t to_skip_ = 0;
  std::uint64_t format_rest_ = 0;
  std::uint64_t byte_rate_ = 0;
  std::uint64_t data_claimed_ = 0, data_seen_ = 0;
};

}  // namespace proxyxai
