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
  /// Of what was fed so far; 0: no WAV file. What came counts, not what a header claims: all behind the head of the first
  /// `data` chunk but complete chunks of other kinds.
  [[nodiscard]] std::int64_t milliseconds() const;

 private:
  enum class State : std::uint8_t { file_head, chunk_head, format, skip, data, no_wav };
  void on_head();
  void begin_chunk();
  void begin_data(std::uint64_t size);
  void read_format();
  void expect(State state, std::size_t size);

  State state_ = State::file_head;
  std::array<char, 16> head_{};
  std::size_t filled_ = 0, needed_ = 12;
  bool has_data_ = false;      // a `data` chunk has begun
  std::uint64_t left_ = 0;     // of the chunk
  std::uint64_t trailing_ = 0;  // bytes so far of a chunk behind the data
  std::uint64_t format_rest_ = 0;
  std::uint64_t byte_rate_ = 0;
  std::uint64_t data_bytes_ = 0;
};

}  // namespace proxyxai
