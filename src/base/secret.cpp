#include "proxyxai/base/secret.hpp"

#include <openssl/crypto.h>

#include <utility>

namespace proxyxai {

Secret::Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    text_ = other.text_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
  }
  return *this;
}

Secret::~Secret() { wipe(); }

std::string_view Secret::tail(std::size_t count) const {
  if (text_.size() <= 2 * count) return {};
  return std::string_view(text_).substr(text_.size() - count);
}

bool operator==(const Secret& a, const Secret& b) {
  return a.text_.size() == b.text_.size() && CRYPTO_memcmp(a.text_.data(), b.text_.data(), a.text_.size()) == 0;
}

void Secret::wipe() noexcept {
  // The small-string buffer keeps a moved-from string's bytes, so the whole capacity is overwritten.
  text_.resize(text_.capacity());
  OPENSSL_cleanse(text_.data(), text_.size());
  text_.clear();
}

}  // namespace proxyxai
