#include "key_load.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

/// Nobody can tell when a place among those in flight is free again: it is looked for after a short time.
constexpr milliseconds look_again{50};

}  // namespace

void KeyLoad::limit_to(const KeyQuota& quota) {
  requests_.set_limit(quota.rpm);
  tokens_.set_limit(quota.tpm);
  concurrency_ = quota.concurrency;
  is_limited_ = quota != KeyQuota{};
}

Instant KeyLoad::free_at(std::int64_t tokens, Instant now) {
  milliseconds wait{0};
  if (requests_.limit() > 0) wait = requests_.wait_for(now, 1);
  // A request larger than the limit itself goes out when nothing else counts, or it never would.
  const std::int64_t amount = std::min(tokens, tokens_.limit());
  if (amount > 0) wait = std::max(wait, tokens_.wait_for(now, amount));
  if (concurrency_ > 0 && static_cast<std::int64_t>(in_flight_) >= concurrency_) wait = std::max(wait, look_again);
  return now + wait;
}

void KeyLoad::join(std::size_t& total) {
  total_ = &total;
  total += in_flight_;
}

void KeyLoad::leave() {
  if (total_ != nullptr) *total_ -= in_flight_;
  total_ = nullptr;
}

std::optional<std::int64_t> KeyLoad::begin(std::int64_t tokens, Instant now) {
  ++in_flight_;
  if (total_ != nullptr) ++*total_;
  if (!is_limited_) return std::nullopt;
  requests_.add(now, 1);
  return tokens_.add(now, tokens);
}

void KeyLoad::end() {
  --in_flight_;
  if (total_ != nullptr) --*total_;
}

void KeyLoad::correct(std::int64_t time, std::int64_t difference) { tokens_.correct(clock_.now(), time, difference); }

}  // namespace proxyxai
