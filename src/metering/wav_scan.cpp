#include "proxyxai/metering/wav_scan.hpp"

#include <algorithm>
#include <cstring>

namespace proxyxai {
namespace {

constexpr std::int64_t most_milliseconds = 1'000'000'000;
constexpr std::size_t head_size = 8;  // of a chunk
constexpr std::uint64_t endless = ~std::uint64_t{0};

/// Four printable characters, which samples hardly ever are.
bool is_chunk_name(std::string_view id) {
  return std::all_of(id.begin(), id.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::uint32_t number_at(const char* at, unsigned bytes) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= std::uint32_t{static_cast<unsigned char>(at[i])} << (8 * i);
  return value;
}

}  // namespace

void WavScan::feed(std::string_view piece) {
  while (!piece.empty() && state_ != State::no_wav) {
    if (state_ == State::data || state_ == State::skip) {
      const auto used = static_cast<std::size_t>(std::min<std::uint64_t>(left_, piece.size()));
      left_ -= used;
      (state_ == State::data ? data_bytes_ : trailing_) += used;
      piece.remove_prefix(used);
      if (left_ == 0) expect(State::chunk_head, head_size);
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
    if (is_wav) expect(State::chunk_head, head_size);
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
    has_data_ = true;
    // Written as a stream, whose size was not known.
    begin_data(size == 0 || size == 0xffffffff ? endless : padded);
  } else if (has_data_ && !is_chunk_name(id)) {
    // More data: the claim was too small.
    data_bytes_ += head_size;
    begin_data(endless);
  } else if (id == "fmt " && size >= 16 && !has_data_) {
    format_rest_ = padded - 16;
    expect(State::format, 16);
  } else if (padded == 0) {
    expect(State::chunk_head, head_size);
  } else {
    left_ = padded;
    trailing_ = head_size;
    state_ = State::skip;
  }
}

void WavScan::begin_data(std::uint64_t size) {
  left_ = size;
  state_ = State::data;
}

void WavScan::read_format() {
  const std::uint64_t rate = number_at(head_.data() + 4, 4), bytes = number_at(head_.data() + 8, 4);
  const std::uint64_t block = number_at(head_.data() + 12, 2);
  // Decoders go by sample rate and block size: a byte rate that is set too high would make the file seem short.
  const std::uint64_t derived = rate * block;
  const std::uint64_t told = derived != 0 && (derived < bytes || bytes == 0) ? derived : bytes;
  // Of several, the one that makes the file longest.
  if (byte_rate_ == 0 || (told != 0 && told < byte_rate_)) byte_rate_ = told;
  left_ = format_rest_;
  if (left_ > 0) state_ = State::skip;
  else expect(State::chunk_head, head_size);
}

std::int64_t WavScan::milliseconds() const {
  if (byte_rate_ == 0 || !has_data_) return 0;
  // A chunk that claims more than there is may be data by another name; of the padding many think nothing.
  const bool is_cut = state_ == State::skip && left_ > 1;
  const std::uint64_t bytes = data_bytes_ + (is_cut ? trailing_ : 0);
  return static_cast<std::int64_t>(std::min<std::uint64_t>(bytes * 1000 / byte_rate_, most_milliseconds));
}

}  // namespace proxyxai
