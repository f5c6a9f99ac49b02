#include "proxyxai/metering/usage.hpp"

namespace proxyxai {

void Usage::add(const Usage& other) {
  input += other.input;
  cached += other.cached;
  cache_write += other.cache_write;
  audio_input += other.audio_input;
  image_input += other.image_input;
  output += other.output;
  reasoning += other.reasoning;
  audio_output += other.audio_output;
  image_output += other.image_output;
  milliseconds += other.milliseconds;
  characters += other.characters;
  images += other.images;
  if (!other.image_kind.empty()) image_kind = other.image_kind;
  if (!other.tier.empty()) tier = other.tier;
  given = given || other.given;
  estimated = estimated || other.estimated;
}

}  // namespace proxyxai
