#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace proxyxai {

/// Finds the text messages in what a WebSocket server sends (RFC 6455 section 5: unmasked frames, without extensions), as the
/// bytes pass, and tells their payload in pieces as it comes, so that none is too large: fragments in order, without the control
/// frames between them. Everything behind a broken frame is passed over. Loop thread; bounded memory.
class WebSocketReader {
 public:
  /// `piece` is a view into the bytes fed, and may be empty where it is the last of its message.
  using OnText = std::function<void(std::string_view piece, bool is_last)>;

  explicit WebSocketReader(OnText on_text) : on_text_(std::move(on_text)) {}
  void feed(std::string_view bytes);

  /// Whether a frame of another sender may stand here.
  [[nodiscard]] bool is_between_frames() const { return !in_frame_ && head_.empty() && !is_broken_; }

 private:
  std::size_t take_head(std::string_view bytes);
  void end_frame();

  OnText on_text_;
  std::string head_;           // of a frame, not complete yet
  std::uint64_t left_ = 0;     // payload of the current frame
  bool in_frame_ = false, is_final_ = false, is_control_ = false;
  bool is_text_ = false;       // a text message goes on
  bool is_broken_ = false;
};

}  // namespace proxyxai
