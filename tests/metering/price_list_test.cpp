#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "proxyxai/metering/prices.hpp"

namespace proxyxai {
namespace {

/// The list that is shipped.
std::shared_ptr<const PriceTable> shipped() {
  static const auto table = [] {
    std::ifstream stream(PRICE_FILE);
    std::stringstream text;
    text << stream.rdbuf();
    return PriceTable::parse(text.str());
  }();
  return table;
}

std::string dollars_of(const std::optional<std::int64_t>& price) { return price ? to_decimal({*price}) : "-"; }
std::string text_price(const Price& p) { return to_decimal({p.input}) + "/" + dollars_of(p.cached) + "/" + to_decimal({p.output}); }

struct Listed {
  const char* price;
  const char* models;  // by a space
};
class ListedPrice : public testing::TestWithParam<Listed> {};

TEST_P(ListedPrice, IsInTheTable) {
  std::istringstream models(GetParam().models);
  for (std::string model; models >> model;) {
    const Price* const price = shipped()->find(model);
    ASSERT_NE(price, nullptr) << model;
    EXPECT_EQ(price->model, model);
    EXPECT_EQ(text_price(*price), GetParam().price) << model;
    EXPECT_EQ(shipped()->find(model + "-2026-08-01"), price) << model;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Prices, ListedPrice,
    testing::Values(
        Listed{"5/0.5/30", "gpt-5.6 gpt-5.6-sol gpt-5.5"}, Listed{"2/0.2/12", "gpt-5.6-terra"}, Listed{"0.2/0.02/1.2", "gpt-5.6-luna"},
        Listed{"30/3/180", "gpt-5.5-pro gpt-5.4-pro"}, Listed{"2.5/0.25/15", "gpt-5.4"}, Listed{"0.75/0.075/4.5", "gpt-5.4-mini"},
        Listed{"0.2/0.02/1.25", "gpt-5.4-nano"}, Listed{"1.75/0.175/14", "gpt-5.3-codex gpt-5.3-chat-latest gpt-5.2 gpt-5.2-codex gpt-5.2-chat-latest"},
        Listed{"21/-/168", "gpt-5.2-pro"},
        Listed{"1.25/0.125/10", "gpt-5.1 gpt-5.1-codex gpt-5.1-codex-max gpt-5.1-chat-latest gpt-5 gpt-5-codex gpt-5-chat-latest gpt-5-search-api"},
        Listed{"0.25/0.025/2", "gpt-5.1-codex-mini gpt-5-mini"}, Listed{"0.05/0.005/0.4", "gpt-5-nano"}, Listed{"15/-/120", "gpt-5-pro"}, Listed{"2/0.5/8", "gpt-4.1 o3"},
        Listed{"0.4/0.1/1.6", "gpt-4.1-mini"}, Listed{"0.1/0.025/0.4", "gpt-4.1-nano"}, Listed{"2.5/1.25/10", "gpt-4o gpt-4o-search-preview"},
        Listed{"0.15/0.075/0.6", "gpt-4o-mini gpt-4o-mini-search-preview"}, Listed{"5/-/15", "gpt-4o-2024-05-13 chatgpt-4o-latest"}, Listed{"15/7.5/60", "o1"},
        Listed{"150/-/600", "o1-pro"}, Listed{"20/-/80", "o3-pro"}, Listed{"1.1/0.55/4.4", "o3-mini"}, Listed{"1.1/0.275/4.4", "o4-mini"},
        Listed{"10/2.5/40", "o3-deep-research"}, Listed{"2/0.5/8", "o4-mini-deep-research"}, Listed{"1.5/0.375/6", "codex-mini-latest"}, Listed{"10/-/30", "gpt-4-turbo"},
        Listed{"30/-/60", "gpt-4"}, Listed{"0.5/-/1.5", "gpt-3.5-turbo"}, Listed{"1/-/2", "gpt-3.5-turbo-1106"}, Listed{"3/-/4", "gpt-3.5-turbo-16k"},
        Listed{"1.5/-/2", "gpt-3.5-turbo-instruct"}, Listed{"2/-/2", "davinci-002"}, Listed{"0.4/-/0.4", "babbage-002"}, Listed{"2.5/-/10", "gpt-audio gpt-4o-audio-preview"},
        Listed{"0.6/-/2.4", "gpt-audio-mini"}, Listed{"4/0.4/16", "gpt-realtime gpt-realtime-1.5 gpt-realtime-2"}, Listed{"4/0.4/24", "gpt-realtime-2.1"},
        Listed{"0.6/0.06/2.4", "gpt-realtime-2.1-mini"}, Listed{"5/2.5/20", "gpt-4o-realtime-preview"}, Listed{"2.5/-/10", "gpt-4o-transcribe gpt-4o-transcribe-diarize gpt-4o-mini-tts"},
        Listed{"1.25/-/5", "gpt-4o-mini-transcribe"}, Listed{"0.02/-/0", "text-embedding-3-small"}, Listed{"0.13/-/0", "text-embedding-3-large"},
        Listed{"0.1/-/0", "text-embedding-ada-002"}, Listed{"0/-/0", "omni-moderation text-moderation"}, Listed{"5/1.25/40", "gpt-image-1"}, Listed{"2/0.2/8", "gpt-image-1-mini"},
        Listed{"5/1.25/32", "gpt-image-1.5"}, Listed{"5/1.25/30", "gpt-image-2"}, Listed{"10/1/50", "gpt-6-astra"}, Listed{"2/0.2/10", "gpt-6-sol"}, Listed{"2/0.1/10", "gpt-6.1-sol"},
        Listed{"1/0.05/5", "gpt-6.1-terra"}, Listed{"0.1/0.01/0.5", "gpt-6-luna"}, Listed{"0/-/0", "whisper-1 tts-1 tts-1-hd dall-e-2 dall-e-3"}));

const Price& price_of(std::string_view model) { return *shipped()->find(model); }

TEST(PriceList, HasTheOtherColumns) {
  EXPECT_EQ(price_of("gpt-5.6").cache_write, 6'250'000'000);
  EXPECT_EQ(price_of("gpt-5.6-terra").cache_write, 2'500'000'000);
  EXPECT_EQ(price_of("gpt-5.6-luna").cache_write, 250'000'000);
  EXPECT_EQ(price_of("gpt-audio").audio_input, 32'000'000'000);
  EXPECT_EQ(price_of("gpt-audio").audio_output, 64'000'000'000);
  EXPECT_EQ(price_of("gpt-4o-realtime-preview-2025-06-03").audio_output, 80'000'000'000);
  EXPECT_EQ(price_of("gpt-realtime-2.1-mini").audio_input, 10'000'000'000);
  EXPECT_EQ(price_of("gpt-4o-mini-tts").audio_output, 12'000'000'000);
  EXPECT_EQ(price_of("gpt-image-1-mini").image_input, 2'500'000'000);
  EXPECT_EQ(price_of("gpt-image-1.5").image_input, 8'000'000'000);
  EXPECT_EQ(price_of("whisper-1").second, 100'000);
  EXPECT_EQ(price_of("tts-1").million_characters, 15'000'000'000);
  EXPECT_EQ(price_of("tts-1-hd").million_characters, 30'000'000'000);
}

TEST(PriceList, HasTiersAndLongRequests) {
  for (const Price& each : shipped()->all()) {
    EXPECT_EQ(each.tiers.at("batch"), 500) << each.model;
    EXPECT_EQ(each.tiers.at("flex"), 500) << each.model;
    const bool is_long = each.model.starts_with("gpt-5.4") || each.model.starts_with("gpt-5.5") || each.model.starts_with("gpt-5.6");
    EXPECT_EQ(each.long_from.value_or(0), is_long ? 272'000 : 0) << each.model;
    EXPECT_EQ(each.long_input, is_long ? 2'000 : 1'000) << each.model;
    EXPECT_EQ(each.long_output, is_long ? 1'500 : 1'000) << each.model;
  }
  EXPECT_EQ(price_of("gpt-5.1").tiers.at("priority"), 2'000);
  EXPECT_EQ(price_of("gpt-4.1").tiers.at("priority"), 1'750);
  EXPECT_EQ(price_of("o3").tiers.at("priority"), 1'750);
  EXPECT_EQ(price_of("gpt-4o").tiers.at("priority"), 1'700);
}

TEST(PriceList, KnowsHowMuchAModelCanPutOut) {
  for (const Price& each : shipped()->all()) {
    const bool makes_text = each.output > 0;
    EXPECT_EQ(each.max_output > 0, makes_text) << each.model;
  }
  EXPECT_EQ(price_of("gpt-4o").max_output, 16'384);
  EXPECT_EQ(price_of("gpt-5.1").max_output, 128'000);
  EXPECT_EQ(price_of("o3").max_output, 100'000);
  EXPECT_EQ(price_of("gpt-4.1").max_output, 32'768);
  EXPECT_EQ(price_of("gpt-4").max_output, 8'192);
  EXPECT_EQ(price_of("gpt-3.5-turbo").max_output, 4'096);
}

TEST(PriceList, LeavesNothingFreeThatItDoesNotKnow) {
  const Price& price = shipped()->fallback();
  for (const auto& each : {Usage{.input = 1'000}, Usage{.output = 1'000}, Usage{.milliseconds = 1'000}, Usage{.characters = 1'000}, Usage{.images = 1}}) {
    EXPECT_GT(cost_of(each, price).nanos, 0);
  }
}

TEST(PriceList, PricesImagesByQualityAndSize) {
  const auto cost = [](const char* model, const char* kind) { return to_decimal(cost_of({.images = 2, .image_kind = kind}, price_of(model))); };
  EXPECT_EQ(cost("dall-e-2", "/256x256"), "0.032");
  EXPECT_EQ(cost("dall-e-2", "standard/512x512"), "0.036");
  EXPECT_EQ(cost("dall-e-2", "/"), "0.04");
  EXPECT_EQ(cost("dall-e-2", ""), "0.04");
  EXPECT_EQ(cost("dall-e-3", "standard/1024x1024"), "0.08");
  EXPECT_EQ(cost("dall-e-3", "standard/1792x1024"), "0.16");
  EXPECT_EQ(cost("dall-e-3", "/1024x1792"), "0.16");
  EXPECT_EQ(cost("dall-e-3", "hd/1024x1024"), "0.16");
  EXPECT_EQ(cost("dall-e-3", "hd/"), "0.16");
  EXPECT_EQ(cost("dall-e-3", "hd/1024x1792"), "0.24");
}

TEST(PriceList, ReadsItselfBack) { EXPECT_EQ(PriceTable::parse(shipped()->json())->json(), shipped()->json()); }

}  // namespace
}  // namespace proxyxai
