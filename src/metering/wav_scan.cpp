#include "proxyxai/metering/wav_scan.hpp"

#include <algorithm>
#include <cstring>

namespace proxyxai {
namespace {

constexpr std::int64_t most_milliseconds = 1'000'000'000;

std::uint32_t number_at(const char* at, unsigned bytes) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= std::uint32_t{static_cast<unsigned char>(at[i])} << (8 * i);
  return value;
}

}  // namespace

void WavScan::feed(std::string_view piece) {
  while (!piece.empty() && state_ != State::no_wav) {
    if (state_ == State::data) {
      data_seen_ += piece.size();
      return;
    }
    if (state_ == State::skip) {
      const auto used = static_cast<std::size_t>(std::min<std::uint64_t>(to_skip_, piece.size()));
      to_skip_ -= used;
      piece.remove_prefix(used);
      if (to_skip_ == 0) expect(State::chunk_head, 8);
      continue;
    }
    const std::size_t used = std::min(needed_ - filled_, piece.size());
    std::memcpy(head_.data() + filled_, piece.data(), used);
    filled_ += used;
    piece.remove_prefix(used);
    if (filled_ == needed_) on_head();
  }
}

void WavScan::expect(State state, std::size_t size) {
  state_ = state;
  needed_ = size;
  filled_ = 0;
}

void WavScan::on_head() {
  const std::string_view head(head_.data(), filled_);
  if (state_ == State::file_head) {
    const bool is_wav = head.starts_with("RIFF") && head.substr(8) == "WAVE";
    if (is_wav) expect(State::chunk_head, 8);
    else state_ = State::no_wav;
  } else if (state_ == State::format) {
    read_format();
  } else {
    begin_chunk();
  }
}

void WavScan::begin_chunk() {
  const std::string_view id(head_.data(), 4);
  const std::uint64_t size = number_at(head_.data() + 4, 4);
  // Chunks begin at even offsets.
  const std::uint64_t padded = size + (size & 1);
  if (id == "data") {
    data_claimed_ = size;
    state_ = State::data;
  } else if (id == "fmt " && size >= 16) {
    format_rest_ = padded - 16;
    expect(State::format, 16);
  } else if (padded == 0) {
    expect(State::chunk_head, 8);
  } else {
    to_skip_ = padded;
    state_ = State::skip;
  }
}

void WavScan::read_format() {
  const std::uint64_t rate = number_at(head_.data() + 4, 4), bytes = number_at(head_.data() + 8, 4);
  const std::uint64_t block = number_at(head_.data() + 12, 2);
  // Decoders go by sample rate and block size: a byte rate that is set too high would make the file seem short.
  const std::uint64_t derived = rate * block;
  byte_rate_ = derived != 0 && (derived < bytes || bytes == 0) ? derived : bytes;
  to_skip_ = format_rest_;
  if (to_skip_ > 0) state_ = State::skip;
  else expect(State::chunk_head, 8);
}

std::int64_t WavScan::milliseconds() const {
  if (byte_rate_ == 0 || state_ != State::data) return 0;
  const std::uint64_t bytes = data_claimed_ == 0 ? data_seen_ : std::min(data_claimed_, data_seen_);
  return static_cast<std::int64_t>(std::min<std::uint64_t>(bytes * 1000 / byte_rate_, most_milliseconds));
}

}  // namespace proxyxai
