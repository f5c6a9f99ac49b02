#include "usage_reader.hpp"

#include <algorithm>

#include "json_number.hpp"
#include "proxyxai/base/ascii.hpp"

namespace proxyxai {

void UsageReader::begin() {
  counts_ = {};
  target_ = nullptr;
  inner_.reset();
}

void UsageReader::name(Part part, std::string_view name) {
  target_ = nullptr;
  is_known_ = nullptr;
  inner_.reset();
  switch (part) {
    case Part::totals: total_name(name); break;
    case Part::input: input_name(name); break;
    case Part::output: output_name(name); break;
    case Part::cached:
      if (equals(name, "audio_tokens")) target_ = &counts_.cached_audio;
      else if (equals(name, "image_tokens")) target_ = &counts_.cached_image;
      break;
  }
}

void UsageReader::total_name(std::string_view name) {
  const auto want = [this](std::int64_t& count, bool& is_known) {
    target_ = &count;
    is_known_ = &is_known;
  };
  switch (name.size()) {
    case 7:
      if (equals(name, "seconds")) want(counts_.milliseconds, counts_.has_seconds);
      break;
    case 12:
      if (equals(name, "input_tokens")) want(counts_.input, counts_.has_input);
      else if (equals(name, "total_tokens")) want(counts_.total, counts_.has_total);
      break;
    case 13:
      if (equals(name, "prompt_tokens")) want(counts_.input, counts_.has_input);
      else if (equals(name, "output_tokens")) want(counts_.output, counts_.has_output);
      break;
    case 17:
      if (equals(name, "completion_tokens")) want(counts_.output, counts_.has_output);
      break;
    default:
      if (!name.ends_with("_details")) break;
      if (name.starts_with("prompt_token") || name.starts_with("input_token")) inner_ = Part::input;
      if (name.starts_with("completion_token") || name.starts_with("output_token")) inner_ = Part::output;
  }
}

void UsageReader::input_name(std::string_view name) {
  if (equals(name, "cached_tokens")) target_ = &counts_.cached;
  else if (equals(name, "cache_write_tokens")) target_ = &counts_.cache_write;
  else if (equals(name, "audio_tokens")) target_ = &counts_.audio_input;
  else if (equals(name, "image_tokens")) target_ = &counts_.image_input;
  else if (equals(name, "cached_tokens_details")) inner_ = Part::cached;
}

void UsageReader::output_name(std::string_view name) {
  if (equals(name, "reasoning_tokens")) target_ = &counts_.reasoning;
  else if (equals(name, "audio_tokens")) target_ = &counts_.audio_output;
  else if (equals(name, "image_tokens")) target_ = &counts_.image_output;
}

std::optional<UsageReader::Part> UsageReader::inner() {
  if (inner_ == Part::input) {
    counts_.cached = counts_.cache_write = counts_.audio_input = counts_.image_input = 0;
    counts_.cached_audio = counts_.cached_image = 0;
  } else if (inner_ == Part::cached) {
    counts_.cached_audio = counts_.cached_image = 0;
  } else if (inner_ == Part::output) {
    counts_.reasoning = counts_.audio_output = counts_.image_output = 0;
  }
  return inner_;
}

void UsageReader::scalar(std::string_view text) {
  if (target_ == nullptr) return;
  const auto count = target_ == &counts_.milliseconds ? read_milliseconds(text, most_counted) : read_count(text, most_counted);
  *target_ = count.value_or(0);
  if (is_known_ != nullptr) *is_known_ = count.has_value();
}

bool UsageReader::is_given() const {
  return counts_.has_input || counts_.has_output || counts_.has_total || counts_.has_seconds;
}

void UsageReader::write(Usage& usage) const {
  usage.input = counts_.input;
  if (!counts_.has_input && !counts_.has_output) usage.input = counts_.total;
  usage.output = counts_.output;
  usage.cached = counts_.cached;
  usage.cache_write = counts_.cache_write;
  // What came from the cache has the cache's price, whatever it is made of.
  usage.audio_input = std::max<std::int64_t>(counts_.audio_input - counts_.cached_audio, 0);
  usage.image_input = std::max<std::int64_t>(counts_.image_input - counts_.cached_image, 0);
  usage.reasoning = counts_.reasoning;
  usage.audio_output = counts_.audio_output;
  usage.image_output = counts_.image_output;
  usage.milliseconds = counts_.milliseconds;
  usage.given = true;
}

}  // namespace proxyxai
