#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace proxyxai {

/// Finds the text messages in what a WebSocket server sends (RFC 6455 section 5: unmasked frames, without extensions), as the
/// bytes pass. Messages over `most_message` are passed over, and so is everything behind a broken frame. Loop thread.
class WebSocketReader {
 public:
  static constexpr std::size_t most_message = 1 << 20;

  explicit WebSocketReader(std::function<void(std::string_view message)> on_text) : on_text_(std::move(on_text)) {}
  void feed(std::string_view bytes);

  /// Whether a frame of another sender may stand here.
  [[nodiscard]] bool is_between_frames() const { return !in_frame_ && head_.empty() && !is_broken_; }

 private:
  std::size_t take_head(std::string_view bytes);
  void end_frame();

  std::function<void(std::string_view)> on_text_;
  std::string head_;           // of a frame, not complete yet
  std::string message_;
  std::uint64_t left_ = 0;     // payload of the current frame
  bool in_frame_ = false, is_final_ = false, is_control_ = false;
  bool is_text_ = false, is_too_long_ = false, is_broken_ = false;
};

}  // namespace proxyxai
