#include <gmock/gmock.h>

#include "proxyxai/audit/usage_api.hpp"
#include "proxyxai/base/error.hpp"

namespace proxyxai {
namespace {

using testing::HasSubstr;

TEST(UsagePage, IsReadAsUpstreamWritesIt) {
  UsageBook book;
  const std::string next = read_usage_page(R"({"object":"page","data":[{"object":"bucket","start_time":1730419200,"end_time":1730505600,"results":[
    {"object":"organization.usage.completions.result","input_tokens":1000,"output_tokens":500,"input_cached_tokens":800,"input_audio_tokens":0,
     "output_audio_tokens":0,"num_model_requests":5,"project_id":null,"user_id":null,"api_key_id":null,"model":"gpt-4o","batch":null},
    {"object":"organization.usage.embeddings.result","input_tokens":16,"num_model_requests":2,"model":"gpt-4o"}]},
    {"object":"bucket","start_time":1730505600,"results":[]}],"has_more":true,"next_page":"page_AAAA=="})", book);
  EXPECT_EQ(next, "page_AAAA==");
  ASSERT_EQ(book.tokens.size(), 1u);
  const auto& [place, used] = *book.tokens.begin();
  EXPECT_EQ(utc_date(place.first), "2024-11-01");
  EXPECT_EQ(place.second, "gpt-4o");
  EXPECT_EQ(used.requests, 7);
  EXPECT_EQ(used.input, 1016);
  EXPECT_EQ(used.cached, 800);
  EXPECT_EQ(used.output, 500);
}

TEST(UsagePage, WithoutModelsHasNamelessOnes) {
  UsageBook book;
  EXPECT_EQ(read_usage_page(R"({"data":[{"start_time":0,"results":[{"input_tokens":null,"num_model_requests":1,"model":null}]}],"has_more":false,"next_page":"x"})", book), "");
  EXPECT_EQ(book.tokens.begin()->first.second, "");
}

TEST(CostPage, TakesDollarsAsNumberAndAsText) {
  UsageBook book;
  read_cost_page(R"({"data":[{"start_time":86400,"results":[{"amount":{"value":0.06,"currency":"usd"}},{"amount":{"value":"1.0000000004e0","currency":"usd"}},
    {"amount":null}]}]})", book);
  EXPECT_EQ(book.costs.at(1).nanos, 1'060'000'000);
}

class BadPage : public testing::TestWithParam<const char*> {};
TEST_P(BadPage, IsRefusedInWords) {
  for (const auto read : {&read_usage_page, &read_cost_page}) {
    UsageBook book;
    try {
      read(GetParam(), book);
      // What the other kind of page does not look at.
      EXPECT_THAT(GetParam(), HasSubstr("results"));
    } catch (const Failure& failure) {
      EXPECT_THAT(failure.what(), HasSubstr("no page of its usage API: "));
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Texts, BadPage,
                         testing::Values("", "[]", "{}", R"({"data":7})", R"({"data":[7]})", R"({"data":[{"start_time":"x","results":[]}]})",
                                         R"({"data":[{"results":[7]}]})", R"({"data":[{"results":[{"input_tokens":-1}]}]})",
                                         R"({"data":[{"results":[{"input_tokens":"many"}]}]})", R"({"data":[{"results":[{"amount":{"value":1,"currency":"eur"}}]}]})",
                                         R"({"data":[{"results":[{"amount":{"value":1e300,"currency":"usd"}}]}]})", R"({"data":[{"results":[{"amount":7}]}]})",
                                         R"({"data":[{"results":[{"amount":{"value":"many","currency":"usd"}}]}]})", R"({"data":[{"results":[{"amount":{"value":"1 or 2","currency":"usd"}}]}]})"));

}  // namespace
}  // namespace proxyxai
