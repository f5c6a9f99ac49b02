#pragma once

#include <string>

#include <gtest/gtest.h>

#include "pieces.hpp"
#include "proxyxai/metering/answer_meter.hpp"

namespace proxyxai {

/// An answer as a client got it, and what the meter says of it.
struct Metered {
  std::string passed;
  std::string before_last;  ///< Of `passed`: what went before the usage had to be stored.
  Usage usage;
  std::string model;
  std::int64_t delivered = 0;
  bool has_ended = false;
  bool was_given = false;   ///< Usage was there when the first of the last views came.
};

inline Metered meter(const AnswerMeter::Answer& answer, const Pieces& pieces) {
  AnswerMeter meter(answer);
  Metered metered;
  bool is_last = false;
  const auto take = [&](const AnswerMeter::Passed& passed) {
    for (std::size_t i = 0; i < passed.views.size(); ++i) {
      EXPECT_FALSE(passed.views[i].empty());
      if (i == passed.last_from && !is_last) {
        is_last = true;
        metered.was_given = meter.usage().given;
      }
      metered.passed += passed.views[i];
      if (!is_last) metered.before_last += passed.views[i];
    }
    EXPECT_LE(passed.last_from, passed.views.size());
  };
  for (const auto piece : pieces) {
    // A copy of its own size, so that a read beyond the piece is found out.
    const std::vector<char> copy(piece.begin(), piece.end());
    take(meter.pass({copy.data(), copy.size()}));
  }
  metered.has_ended = meter.has_ended();
  take(meter.finish());
  metered.usage = meter.usage();
  metered.model = meter.model();
  metered.delivered = meter.delivered_tokens();
  return metered;
}

inline std::string describe(const Usage& u) {
  std::string out;
  const auto add = [&out](const char* name, std::int64_t value) {
    if (value != 0) out += std::string(name) + "=" + std::to_string(value) + " ";
  };
  add("input", u.input);
  add("cached", u.cached);
  add("cache_write", u.cache_write);
  add("audio_input", u.audio_input);
  add("image_input", u.image_input);
  add("output", u.output);
  add("reasoning", u.reasoning);
  add("audio_output", u.audio_output);
  add("image_output", u.image_output);
  add("ms", u.milliseconds);
  add("characters", u.characters);
  add("images", u.images);
  if (!u.image_kind.empty()) out += "kind=" + u.image_kind + " ";
  if (!u.tier.empty()) out += "tier=" + u.tier + " ";
  if (!u.given) out += "not given ";
  if (u.estimated) out += "estimated ";
  if (!out.empty()) out.pop_back();
  return out;
}

/// Meters `text` in all pieces, which must make no difference, and gives what it said.
inline Metered meter_in_all_pieces(const AnswerMeter::Answer& answer, std::string_view text) {
  const Metered whole = meter(answer, {text});
  in_all_pieces(text, [&](const Pieces& pieces) {
    const Metered split = meter(answer, pieces);
    EXPECT_EQ(split.passed, whole.passed);
    EXPECT_EQ(describe(split.usage), describe(whole.usage));
    EXPECT_EQ(split.model, whole.model);
    EXPECT_EQ(split.delivered, whole.delivered);
    EXPECT_EQ(split.has_ended, whole.has_ended);
    // Whatever the pieces, nothing that ends the answer goes before its usage is known.
    EXPECT_EQ(split.was_given, whole.was_given);
  });
  return whole;
}

inline AnswerMeter::Answer json_answer(std::string_view endpoint) { return {endpoint, "application/json", false}; }
inline AnswerMeter::Answer event_answer(std::string_view endpoint, bool hide_usage = false) {
  return {endpoint, "text/event-stream; charset=utf-8", hide_usage};
}

}  // namespace proxyxai
