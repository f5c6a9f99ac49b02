#include <algorithm>
#include <utility>

#include "key_load.hpp"
#include "proxyxai/keys/lease.hpp"

namespace proxyxai {

KeyLease::KeyLease(UpstreamKeyPtr key, std::shared_ptr<KeyLoad> load, std::int64_t tokens, Instant now)
    : key_(std::move(key)),
      load_(std::move(load)),
      tokens_(std::max<std::int64_t>(tokens, 0)),
      counted_at_(load_->begin(tokens_, now)) {}

KeyLease& KeyLease::operator=(KeyLease other) noexcept {
  // What was held before ends with `other`.
  std::swap(key_, other.key_);
  std::swap(load_, other.load_);
  std::swap(tokens_, other.tokens_);
  std::swap(counted_at_, other.counted_at_);
  return *this;
}

void KeyLease::used(std::int64_t tokens) {
  if (!load_ || !counted_at_) return;
  load_->correct(*counted_at_, tokens - tokens_);
  tokens_ = tokens;
}

void KeyLease::end() {
  if (!load_) return;
  load_->end();
  load_ = nullptr;
  key_ = nullptr;
}

}  // namespace proxyxai
