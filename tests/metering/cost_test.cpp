#include <limits>
#include <random>

#include <gtest/gtest.h>

#include "proxyxai/metering/prices.hpp"

namespace proxyxai {
namespace {

Price full_price() {
  Price price;
  price.input = 2'000'000'000;
  price.cached = 500'000'000;
  price.cache_write = 2'500'000'000;
  price.audio_input = 32'000'000'000;
  price.image_input = 10'000'000'000;
  price.output = 8'000'000'000;
  price.audio_output = 64'000'000'000;
  price.image_output = 40'000'000'000;
  price.second = 100'000;
  price.million_characters = 15'000'000'000;
  price.images = {{"default", 20'000'000}, {"hd", 80'000'000}, {"1x1", 30'000'000}, {"hd/1x1", 90'000'000}};
  price.tiers = {{"flex", 500}, {"priority", 1'750}};
  price.long_from = 272'000;
  price.long_input = 2'000;
  price.long_output = 1'500;
  return price;
}

std::string cost(const Usage& usage, const Price& price = full_price(), Rate rate = list_rate) { return to_decimal(cost_of(usage, price, rate)); }

TEST(Cost, HasAColumnForEveryPart) {
  EXPECT_EQ(cost({}), "0");
  EXPECT_EQ(cost({.input = 1'000}), "0.002");
  EXPECT_EQ(cost({.input = 1'000, .cached = 400}), "0.0014");              // 600 × 2 + 400 × 0.5
  EXPECT_EQ(cost({.input = 1'000, .cache_write = 400}), "0.0022");         // 600 × 2 + 400 × 2.5
  EXPECT_EQ(cost({.input = 1'000, .audio_input = 400}), "0.014");          // 600 × 2 + 400 × 32
  EXPECT_EQ(cost({.input = 1'000, .image_input = 400}), "0.0052");         // 600 × 2 + 400 × 10
  EXPECT_EQ(cost({.output = 1'000}), "0.008");
  EXPECT_EQ(cost({.output = 1'000, .reasoning = 900}), "0.008");
  EXPECT_EQ(cost({.output = 1'000, .audio_output = 400}), "0.0304");       // 600 × 8 + 400 × 64
  EXPECT_EQ(cost({.output = 1'000, .image_output = 400}), "0.0208");       // 600 × 8 + 400 × 40
  EXPECT_EQ(cost({.milliseconds = 1'500}), "0.00015");
  EXPECT_EQ(cost({.characters = 2'000}), "0.03");
  EXPECT_EQ(cost({.images = 3}), "0.06");
  EXPECT_EQ(cost({.input = 100, .cached = 10, .cache_write = 20, .audio_input = 30, .image_input = 15, .output = 50, .audio_output = 20, .image_output = 10}),
            "0.003055");  // 10 × 0.5 + 20 × 2.5 + 30 × 32 + 15 × 10 + 25 × 2 + 20 × 64 + 10 × 40 + 20 × 8
}

TEST(Cost, FallsBackWhereAColumnIsMissing) {
  Price price;
  price.input = 2'000'000'000;
  price.output = 8'000'000'000;
  const Usage usage{.input = 1'000, .cached = 100, .cache_write = 100, .audio_input = 100, .image_input = 100, .output = 1'000, .audio_output = 100, .image_output = 100};
  EXPECT_EQ(cost(usage, price), "0.01");
  EXPECT_EQ(cost({.milliseconds = 5, .characters = 5, .images = 5}, price), "0");
}

TEST(Cost, TakesTheNearestKindOfImage) {
  EXPECT_EQ(cost({.images = 1, .image_kind = "hd/1x1"}), "0.09");
  EXPECT_EQ(cost({.images = 1, .image_kind = "hd/2x2"}), "0.08");
  EXPECT_EQ(cost({.images = 1, .image_kind = "low/1x1"}), "0.03");
  EXPECT_EQ(cost({.images = 1, .image_kind = "low/2x2"}), "0.02");
  Price price = full_price();
  price.images.erase("default");
  EXPECT_EQ(cost({.images = 1, .image_kind = "low/2x2"}, price), "0.09") << "the dearest";
}

TEST(Cost, IsMultipliedByTierAndLength) {
  EXPECT_EQ(cost({.input = 1'000, .output = 100, .tier = "flex"}), "0.0014");
  EXPECT_EQ(cost({.input = 1'000, .output = 100, .tier = "priority"}), "0.0049");
  EXPECT_EQ(cost({.input = 1'000, .output = 100, .tier = "scale"}), "0.0028");
  EXPECT_EQ(cost({.input = 272'000, .output = 1'000}), "0.552");
  EXPECT_EQ(cost({.input = 272'001, .output = 1'000}), "1.100004");               // 2 × .544002 + 1.5 × .008
  EXPECT_EQ(cost({.input = 272'001, .cached = 272'001, .output = 0, .tier = "flex"}), "0.1360005");
}

TEST(Cost, IsRoundedOnceAtTheEnd) {
  Price price;
  price.input = 1'000'000;  // a token is one nano-dollar
  price.output = 400'000;
  EXPECT_EQ(cost({.input = 1}, price, list_rate / 2), "0.000000001") << "half up";
  EXPECT_EQ(cost({.input = 1}, price, list_rate / 2 - 1), "0");
  EXPECT_EQ(cost({.output = 1}, price), "0");
  EXPECT_EQ(cost({.output = 1}, price, list_rate / 4 * 5), "0.000000001") << "0.4 × 1.25";
  EXPECT_EQ(cost({.input = 1, .output = 2}, price), "0.000000002") << "1.8";
  EXPECT_EQ(cost({.input = 1'000'000}, price, 1'234'567'891), "0.001234568");
}

TEST(Cost, OfGarbageStaysWithinItsBounds) {
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  Usage usage;
  for (std::int64_t* each : {&usage.input, &usage.cached, &usage.cache_write, &usage.audio_input, &usage.image_input, &usage.output, &usage.audio_output,
                             &usage.image_output, &usage.milliseconds, &usage.characters, &usage.images}) {
    *each = least;
  }
  EXPECT_EQ(cost(usage), "0");
  usage = {.input = most, .cached = most, .cache_write = most, .output = most, .audio_output = most, .milliseconds = most, .characters = most, .images = most, .tier = "priority"};
  EXPECT_GT(cost_of(usage, full_price()).nanos, 0);
  EXPECT_LE(cost_of(usage, full_price(), most), most_money);
  EXPECT_EQ(cost({.input = 5}, full_price(), -1), "0");
  Price price = full_price();
  price.input = price.output = most;
  price.second = price.million_characters = most;
  price.images = {{"default", most}};
  price.tiers["priority"] = most;
  price.long_input = price.long_output = most;
  EXPECT_EQ(cost_of(usage, price, most), most_money);
  // Garbage above the bound counts as the bound.
  EXPECT_EQ(cost({.input = most, .tier = "flex"}), cost({.input = 1'000'000'000, .tier = "flex"}));
}

TEST(Cost, OfPartsLargerThanTheirTotalIsThatOfTheTotal) {
  EXPECT_EQ(cost({.input = 100, .cached = 500}), "0.00005");
  EXPECT_EQ(cost({.input = 100, .cached = 60, .audio_input = 500}), "0.00131");
  EXPECT_EQ(cost({.output = 100, .audio_output = 500, .image_output = 5}), "0.0064");
  EXPECT_EQ(cost({.input = 100, .cached = -5}), "0.0002");
  EXPECT_EQ(cost({.cached = 500, .audio_output = 5}), "0");
}

TEST(Cost, NeverFallsWhenMoreIsUsed) {
  std::minstd_rand random(11);
  const Price price = full_price();
  const auto any = [&random](std::int64_t most) { return static_cast<std::int64_t>(random()) % most; };
  for (int round = 0; round < 20'000; ++round) {
    const std::int64_t most = round % 2 == 0 ? 1'000 : 600'000;
    Usage usage{.input = any(most), .cached = any(most), .cache_write = any(most / 2), .audio_input = any(most / 2), .image_input = any(most / 2), .output = any(most),
                .audio_output = any(most), .image_output = any(most), .milliseconds = any(most), .characters = any(most), .images = any(10), .image_kind = {}, .tier = {}};
    if (round % 3 == 0) usage.tier = round % 2 == 0 ? "flex" : "priority";
    const Rate rate = any(3 * list_rate);
    const Money before = cost_of(usage, price, rate);
    EXPECT_GE(before.nanos, 0);
    for (std::int64_t Usage::*each : {&Usage::input, &Usage::output, &Usage::milliseconds, &Usage::characters, &Usage::images}) {
      Usage more = usage;
      more.*each += 1 + any(most);
      EXPECT_GE(cost_of(more, price, rate), before);
    }
    EXPECT_GE(cost_of(usage, price, rate + 1 + any(list_rate)), before);
  }
}

TEST(Cost, OfSumsIsTheSumOfCostsWithinTheRounding) {
  std::minstd_rand random(5);
  const Price price = full_price();
  for (int round = 0; round < 5'000; ++round) {
    const std::int64_t a = random() % 100'000, b = random() % 100'000;
    const auto sum = cost_of({.input = a + b}, price).nanos, parts = cost_of({.input = a}, price).nanos + cost_of({.input = b}, price).nanos;
    EXPECT_LE(std::abs(sum - parts), 1);
  }
}

}  // namespace
}  // namespace proxyxai
