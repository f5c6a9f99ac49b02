#pragma once

#include <string>
#include <string_view>

namespace proxyxai {

/// Text that must not be shown: an upstream key, a virtual key, a mail password, the master key.
///
/// It has no stream operator, no formatter and no implicit conversion, so that logging it does not compile; `reveal()`
/// is the one way out and is easy to search for. The bytes are overwritten when the value dies. Any thread; not
/// synchronised.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}
  Secret(const Secret& other) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  [[nodiscard]] std::string_view reveal() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

  /// The last `count` characters, all that a listing may show; a secret of at most twice that length shows none.
  [[nodiscard]] std::string_view tail(std::size_t count) const;

  /// Compares in a time that depends on the lengths only.
  friend bool operator==(const Secret& a, const Secret& b);

 private:
  void wipe() noexcept;

  std::string text_;
};

}  // namespace proxyxai
