#pragma once

#include "check.hpp"
#include "metering/usage_reader.hpp"
#include "proxyxai/metering/answer_meter.hpp"
#include "proxyxai/metering/prices.hpp"

namespace proxyxai::fuzz {

/// An answer as a client gets it, and what the meter says of it.
struct Metered {
  std::string passed, before_last;  ///< All of it; what may go before its usage is stored.
  Usage usage;
  std::string model;
  std::int64_t delivered = 0;
  bool has_ended = false, is_ending = false, tells_tier = false, was_given = false;
};

inline Metered meter(const AnswerMeter::Answer& answer, const Pieces& pieces) {
  AnswerMeter meter(answer);
  Metered metered;
  bool is_last = false;
  const auto take = [&](const AnswerMeter::Passed& passed) {
    require(passed.last_from <= passed.views.size(), "the last views are among the views");
    for (std::size_t i = 0; i < passed.views.size(); ++i) {
      require(!passed.views[i].empty(), "no view is empty");
      if (i == passed.last_from && !is_last) {
        is_last = true;
        metered.was_given = meter.usage().given;
      }
      metered.passed += passed.views[i];
      if (!is_last) metered.before_last += passed.views[i];
    }
  };
  for (const std::string_view piece : pieces) {
    const std::vector<char> copy(piece.begin(), piece.end());
    take(meter.pass({copy.data(), copy.size()}));
  }
  metered.has_ended = meter.has_ended();
  metered.is_ending = meter.is_ending();
  take(meter.finish());
  metered.usage = meter.usage();
  metered.model = meter.model();
  metered.delivered = meter.delivered_tokens();
  metered.tells_tier = meter.tells_tier();
  return metered;
}

/// No number is negative or larger than what `times` documents can tell.
inline void check_usage(const Usage& usage, std::int64_t times) {
  for (const std::int64_t each : {usage.input, usage.cached, usage.cache_write, usage.audio_input, usage.image_input, usage.output, usage.reasoning,
                                  usage.audio_output, usage.image_output, usage.milliseconds, usage.characters, usage.images}) {
    require(each >= 0 && each <= most_counted * times, "numbers of usage are from 0 to their most");
  }
  Price price;
  price.input = price.output = 10'000'000'000'000;
  price.second = price.million_characters = price.input;
  price.images["default"] = price.input;
  const Money cost = cost_of(usage, price, 1'000 * list_rate);
  require(cost >= Money{} && cost <= most_money, "no cost is negative or too large");
}

inline void same_usage(const Usage& got, const Usage& wanted) {
  same(got.input, wanted.input, "input");
  same(got.cached, wanted.cached, "cached");
  same(got.cache_write, wanted.cache_write, "cache_write");
  same(got.audio_input, wanted.audio_input, "audio_input");
  same(got.image_input, wanted.image_input, "image_input");
  same(got.output, wanted.output, "output");
  same(got.reasoning, wanted.reasoning, "reasoning");
  same(got.audio_output, wanted.audio_output, "audio_output");
  same(got.image_output, wanted.image_output, "image_output");
  same(got.milliseconds, wanted.milliseconds, "milliseconds");
  same(got.images, wanted.images, "images");
  same(got.image_kind, wanted.image_kind, "kind of image");
  same(got.tier, wanted.tier, "tier");
  same(got.given, wanted.given, "given");
}

/// Meters `text` whole and in pieces, which must make no difference, and gives what it said.
inline Metered meter_in_pieces(const AnswerMeter::Answer& answer, std::string_view text) {
  const Metered whole = meter(answer, {text});
  check_usage(whole.usage, 1 + static_cast<std::int64_t>(text.size()));
  require(whole.delivered >= 0 && whole.delivered <= static_cast<std::int64_t>(text.size()), "no more is delivered than has come");
  in_pieces(text, [&](const Pieces& pieces) {
    const Metered split = meter(answer, pieces);
    same(split.passed, whole.passed, "what passes");
    same_usage(split.usage, whole.usage);
    same(split.model, whole.model, "model");
    same(split.delivered, whole.delivered, "delivered");
    same(split.has_ended, whole.has_ended, "has ended");
    same(split.is_ending, whole.is_ending, "is ending");
    same(split.tells_tier, whole.tells_tier, "tells its tier");
    // Usage may come behind the end, and then with it in one piece.
    require(whole.was_given || !split.was_given, "usage is there when the last views come, if it is in pieces");
  });
  return whole;
}

}  // namespace proxyxai::fuzz
