#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace proxyxai {

/// Finds the messages in what one side of a WebSocket sends (RFC 6455 section 5: a client masks, a server does not; without
/// extensions), as the bytes pass, and tells their payload in pieces as it comes, so that none is too large: fragments in order, without the control
/// frames between them. Of a server the text messages, of a client all, for a server may read others as text. Everything behind a
/// broken frame is passed over. Loop thread; bounded memory.
class WebSocketReader {
 public:
  enum class Sender : std::uint8_t { server, client };
  /// `piece` is valid during the call, and may be empty where it is the last of its message.
  using OnText = std::function<void(std::string_view piece, bool is_last)>;

  WebSocketReader(Sender sender, OnText on_text) : sender_(sender), on_text_(std::move(on_text)) {}
  void feed(std::string_view bytes);

  /// Whether a frame of another sender may stand here.
  [[nodiscard]] bool is_broken() const { return is_broken_; }
  [[nodiscard]] bool is_between_frames() const { return !in_frame_ && head_.empty() && !is_broken_; }

 private:
  std::size_t take_head(std::string_view bytes);
  void end_frame();
  std::string_view unmask(std::string_view bytes);

  const Sender sender_;
  OnText on_text_;
  std::string head_;           // of a frame, not complete yet
  std::uint64_t left_ = 0;     // payload of the current frame
  bool in_frame_ = false, is_final_ = false, is_control_ = false;
  bool is_text_ = false;       // a text message goes on
  bool is_broken_ = false;
  std::array<char, 4> mask_{};
  std::size_t mask_at_ = 0;    // in the payload of the current frame
  std::string unmasked_;
};

}  // namespace proxyxai
