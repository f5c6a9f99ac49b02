#include <algorithm>
#include <limits>

#include "proxyxai/metering/prices.hpp"
#include "usage_reader.hpp"

namespace proxyxai {
namespace {

// Bounds that keep every product below within 128 bits, whatever comes in.
constexpr std::int64_t most_price = 10'000'000'000'000;
constexpr std::int64_t most_factor = 100'000;
constexpr Rate most_rate = 1'000 * list_rate;

constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t thousand = 1'000;

std::int64_t within(std::int64_t value, std::int64_t most) { return std::clamp<std::int64_t>(value, 0, most); }
std::int64_t counted(std::int64_t value) { return within(value, most_counted); }
std::int64_t price_of(std::int64_t price) { return within(price, most_price); }

/// A total, handed out part by part.
class Tokens {
 public:
  explicit Tokens(std::int64_t total) : rest_(counted(total)) {}
  void take(std::int64_t part, std::int64_t price) {
    if (part <= 0) return;
    const std::int64_t taken = std::min(counted(part), rest_);
    rest_ -= taken;
    sum_ += Wide{taken} * price_of(price);
  }
  Wide take_rest(std::int64_t price) {
    take(rest_, price);
    return sum_;
  }

 private:
  std::int64_t rest_;
  Wide sum_ = 0;
};

/// Nano-dollars by million tokens.
Wide input_cost(const Usage& usage, const Price& price) {
  Tokens tokens(usage.input);
  tokens.take(usage.cached, price.cached.value_or(price.input));
  tokens.take(usage.cache_write, price.cache_write.value_or(price.input));
  tokens.take(usage.audio_input, price.audio_input.value_or(price.input));
  tokens.take(usage.image_input, price.image_input.value_or(price.input));
  return tokens.take_rest(price.input);
}

Wide output_cost(const Usage& usage, const Price& price) {
  Tokens tokens(usage.output);
  tokens.take(usage.audio_output, price.audio_output.value_or(price.output));
  tokens.take(usage.image_output, price.image_output.value_or(price.output));
  return tokens.take_rest(price.output);
}

/// Of one image of `kind`, which is `quality/size`.
std::int64_t image_price(const Price& price, const std::string& kind) {
  const auto slash = std::min(kind.find('/'), kind.size());
  const std::string quality = kind.substr(0, slash), size = slash < kind.size() ? kind.substr(slash + 1) : "";
  for (const std::string& name : {kind, size, quality, std::string("default")}) {
    const auto found = price.images.find(name);
    if (found != price.images.end()) return found->second;
  }
  std::int64_t dearest = 0;
  for (const auto& [name, each] : price.images) dearest = std::max(dearest, each);
  return dearest;
}

/// In the same measure: nano-dollars by a million.
Wide unit_cost(const Usage& usage, const Price& price) {
  Wide cost = Wide{counted(usage.milliseconds)} * price_of(price.second.value_or(0)) * thousand;
  cost += Wide{counted(usage.characters)} * price_of(price.million_characters.value_or(0));
  if (usage.images > 0) cost += Wide{counted(usage.images)} * price_of(image_price(price, usage.image_kind)) * million;
  return cost;
}

std::int64_t tier_factor(const Usage& usage, const Price& price) {
  if (usage.tier.empty()) return thousand;
  const auto found = price.tiers.find(usage.tier);
  return found == price.tiers.end() ? thousand : within(found->second, most_factor);
}

}  // namespace

Money cost_of(const Usage& usage, const Price& price, Rate rate) {
  const bool is_long = price.long_from && counted(usage.input) > *price.long_from;
  Wide cost = unit_cost(usage, price) * thousand;
  cost += input_cost(usage, price) * (is_long ? within(price.long_input, most_factor) : thousand);
  cost += output_cost(usage, price) * (is_long ? within(price.long_output, most_factor) : thousand);
  const std::int64_t tier = tier_factor(usage, price);
  static constexpr std::int64_t unit = million * thousand;
  if (tier == thousand && rate == list_rate && cost < std::numeric_limits<std::int64_t>::max() - unit) {
    // The usual case, without a division of 128 bits.
    return std::min(Money{(static_cast<std::int64_t>(cost) + unit / 2) / unit}, most_money);
  }
  const Wide factor = Wide{tier} * within(rate, most_rate);
  // cost × factor ÷ divisor, the quotient and the rest apart: the whole product has more than 128 bits.
  static constexpr Wide divisor = Wide{million} * thousand * thousand * list_rate;
  const Wide nanos = cost / divisor * factor + (cost % divisor * factor + divisor / 2) / divisor;
  return nanos < most_money.nanos ? Money{static_cast<std::int64_t>(nanos)} : most_money;
}

}  // namespace proxyxai
