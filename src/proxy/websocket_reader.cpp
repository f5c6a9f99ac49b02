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
  // A server does not mask, and extensions were not agreed on.
  if (is_masked || (byte(0) & 0x70) != 0) is_broken_ = true;
  if (!is_control_ && opcode != 0) {
    message_.clear();
    is_text_ = opcode == 1;
    is_too_long_ = false;
  }
  in_frame_ = true;
  head_.clear();
  return size - before;
}

void WebSocketReader::end_frame() {
  in_frame_ = false;
  if (is_control_ || !is_final_) return;
  if (is_text_ && !is_too_long_) on_text_(message_);
  message_.clear();
  if (message_.capacity() > 64 << 10) message_.shrink_to_fit();
}

void WebSocketReader::feed(std::string_view bytes) {
  while (!is_broken_ && (!bytes.empty() || (in_frame_ && left_ == 0))) {
    if (!in_frame_) {
      bytes.remove_prefix(take_head(bytes));
    } else {
      const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
      if (is_text_ && !is_control_ && !is_too_long_) {
        if (message_.size() + part > most_message) is_too_long_ = true;
        else message_.append(bytes.substr(0, part));
      }
      left_ -= part;
      bytes.remove_prefix(part);
    }
    if (in_frame_ && left_ == 0 && !is_broken_) end_frame();
  }
}

}  // namespace proxyxai
