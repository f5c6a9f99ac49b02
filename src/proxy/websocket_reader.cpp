#include "proxyxai/proxy/websocket_reader.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

constexpr std::size_t longest_head = 14;

}  // namespace

/// Uses up bytes of a frame's head; the frame has begun once it is whole.
std::size_t WebSocketReader::take_head(std::string_view bytes) {
  const std::size_t before = head_.size();
  head_.append(bytes.substr(0, longest_head - before));
  const auto byte = [this](std::size_t at) { return static_cast<std::uint8_t>(head_[at]); };
  if (head_.size() < 2) return bytes.size();
  const std::uint8_t short_length = byte(1) & 0x7f;
  const bool is_masked = (byte(1) & 0x80) != 0;
  const std::size_t length_bytes = short_length == 126 ? 2 : short_length == 127 ? 8 : 0;
  const std::size_t size = 2 + length_bytes + (is_masked ? 4 : 0);
  if (head_.size() < size) return bytes.size();
  left_ = length_bytes == 0 ? short_length : 0;
  for (std::size_t i = 0; i < length_bytes; ++i) left_ = left_ << 8 | byte(2 + i);
  const std::uint8_t opcode = byte(0) & 0x0f;
  is_final_ = (byte(0) & 0x80) != 0;
  is_control_ = opcode >= 8;
  // Extensions were not agreed on.
  if (is_masked != (sender_ == Sender::client) || (byte(0) & 0x70) != 0) is_broken_ = true;
  if (is_masked) head_.copy(mask_.data(), mask_.size(), size - mask_.size());
  mask_at_ = 0;
  if (!is_control_ && opcode != 0) {
    // A new message within another: what has been told of that one ends here.
    if (is_text_) on_text_({}, true);
    is_text_ = opcode == 1 || sender_ == Sender::client;
  }
  in_frame_ = true;
  head_.clear();
  return size - before;
}

std::string_view WebSocketReader::unmask(std::string_view bytes) {
  if (sender_ == Sender::server) return bytes;
  unmasked_.assign(bytes);
  for (char& each : unmasked_) each = static_cast<char>(each ^ mask_[mask_at_++ % mask_.size()]);
  return unmasked_;
}

void WebSocketReader::end_frame() {
  in_frame_ = false;
  if (!is_control_ && is_final_) is_text_ = false;
}

void WebSocketReader::feed(std::string_view bytes) {
  while (!is_broken_ && (!bytes.empty() || (in_frame_ && left_ == 0))) {
    if (!in_frame_) {
      bytes.remove_prefix(take_head(bytes));
    } else {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      left_ -= part;
      const bool is_last = is_final_ && left_ == 0;
      if (is_text_ && !is_control_ && (part > 0 || is_last)) on_text_(unmask(bytes.substr(0, part)), is_last);
      bytes.remove_prefix(part);
      if (left_ == 0) end_frame();
    }
  }
}

}  // namespace proxyxai
