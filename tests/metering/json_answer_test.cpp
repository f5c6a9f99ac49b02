#include "metered.hpp"

namespace proxyxai {
namespace {

struct Case {
  const char* name;
  const char* endpoint;
  const char* body;
  const char* usage;
};
void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class JsonAnswer : public testing::TestWithParam<Case> {};

TEST_P(JsonAnswer, TellsItsUsageWhateverThePieces) {
  const auto metered = meter_in_all_pieces(json_answer(GetParam().endpoint), GetParam().body);
  EXPECT_EQ(describe(metered.usage), GetParam().usage);
  EXPECT_EQ(metered.passed, GetParam().body);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, JsonAnswer,
    testing::Values(
        Case{"Chat", "chat/completions",
             R"({"id":"c","model":"gpt-4o-2024-08-06","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":2006,)"
             R"("completion_tokens":300,"total_tokens":2306,"prompt_tokens_details":{"cached_tokens":1920,"audio_tokens":7,)"
             R"("cache_write_tokens":3,"text_tokens":1,"image_tokens":5},"completion_tokens_details":{"reasoning_tokens":10,)"
             R"("audio_tokens":11,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"service_tier":"priority"})",
             "input=2006 cached=1920 cache_write=3 audio_input=7 image_input=5 output=300 reasoning=10 audio_output=11 tier=priority"},
        Case{"DefaultTierIsNone", "chat/completions", R"({"service_tier":"default","usage":{"prompt_tokens":1,"completion_tokens":2}})",
             "input=1 output=2"},
        Case{"Completions", "completions", R"({"choices":[{"text":"x"}],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}})",
             "input=5 output=7"},
        Case{"Responses", "responses",
             R"({ "object": "response", "output": [], "usage": { "input_tokens": 36, "input_tokens_details": { "cached_tokens": 6 },)"
             R"( "output_tokens": 87, "output_tokens_details": { "reasoning_tokens": 9 }, "total_tokens": 123 }, "service_tier": "flex" })",
             "input=36 cached=6 output=87 reasoning=9 tier=flex"},
        Case{"ANameThatIsTooLong", "chat/completions",
             R"({"usage":{"prompt_tokens":9,"prompt_tokens_0123456789_0123456789_0123456789_details":{"cached_tokens":6}}})", "input=9"},
        Case{"SomethingBehindIt", "chat/completions", R"({"usage":{"prompt_tokens":1}}{"usage":{"prompt_tokens":2}})", "input=1"},
        Case{"SomethingBehindAnother", "chat/completions", R"([]{"usage":{"prompt_tokens":2}})", "not given"},
        Case{"Embeddings", "embeddings", R"({"object":"list","data":[{"embedding":[0.1,-2e-3]}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}})",
             "input=8"},
        Case{"OnlyATotal", "embeddings", R"({"usage":{"total_tokens":8}})", "input=8"},
        Case{"TranscriptionByTokens", "audio/transcriptions",
             R"({"text":"hi","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},)"
             R"("output_tokens":45,"total_tokens":59}})",
             "input=14 audio_input=14 output=45"},
        Case{"TranscriptionByDuration", "audio/transcriptions", R"({"text":"hi","usage":{"type":"duration","seconds":9}})", "ms=9000"},
        Case{"VerboseTranscription", "audio/transcriptions", R"({"task":"transcribe","duration":8.470000267028809,"text":"hi","segments":[{"tokens":[1,2]}]})",
             "ms=8471"},
        Case{"VerboseTranscriptionWithUsageCountsOnce", "audio/transcriptions",
             R"({"duration":8.47,"usage":{"type":"duration","seconds":9},"text":"hi"})", "ms=9000"},
        Case{"DurationAsText", "audio/translations", R"({"duration":"3.5","text":"hi"})", "ms=3500"},
        Case{"PlainTranscription", "audio/transcriptions", R"({"text":"hi"})", "not given"},
        Case{"ImagesByTokens", "images/generations",
             R"({"created":1,"data":[{"b64_json":"AAAA"},{"b64_json":"BB"}],"size":"1024x1024","quality":"high","usage":{"input_tokens":50,)"
             R"("input_tokens_details":{"text_tokens":10,"image_tokens":40},"output_tokens":4160,"total_tokens":4210}})",
             "input=50 image_input=40 output=4160 kind=high/1024x1024"},
        Case{"ImagesByCount", "images/variations", R"({"created":1,"data":[{"url":"https://x/[1]{"},{"url":"b"},{"url":"c"}]})", "images=3"},
        Case{"NoImage", "images/generations", R"({"created":1,"data":[]})", "not given"},
        Case{"Run", "threads",
             R"({"id":"run_1","object":"thread.run","metadata":{"usage":{"prompt_tokens":1}},"usage":{"prompt_tokens":123,"completion_tokens":456,)"
             R"("total_tokens":579,"prompt_token_details":{"cached_tokens":23}}})",
             "input=123 cached=23 output=456"},
        Case{"StepOfARun", "threads", R"({"object":"thread.run.step","usage":{"prompt_tokens":123,"completion_tokens":456}})", "not given"},
        Case{"UnmeteredEndpoint", "files", R"({"usage":{"prompt_tokens":5}})", "not given"},
        Case{"Batches", "batches", R"({"usage":{"input_tokens":5}})", "not given"}),
    [](const auto& each) { return std::string(each.param.name); });

// What a client can write into an answer, or an upstream gets wrong.
INSTANTIATE_TEST_SUITE_P(
    Hostile, JsonAnswer,
    testing::Values(
        Case{"PlantedInMetadata", "responses",
             R"({"metadata":{"usage":{"input_tokens":1,"output_tokens":1},"response":{"usage":{"input_tokens":1}}},)"
             R"("usage":{"input_tokens":50,"output_tokens":60},"tools":[{"parameters":{"usage":{"input_tokens":2,"output_tokens":2}}}]})",
             "input=50 output=60"},
        Case{"PlantedOnly", "responses", R"({"tools":[{"usage":{"input_tokens":2}}],"metadata":{"usage":{"input_tokens":1}},"usage":null})", "not given"},
        Case{"PlantedResponse", "responses", R"({"response":{"usage":{"input_tokens":1,"output_tokens":1}},"usage":{"input_tokens":5,"output_tokens":6}})",
             "input=5 output=6"},
        Case{"PlantedAsText", "chat/completions",
             R"({"choices":[{"message":{"content":"}],\"usage\":{\"prompt_tokens\":1},\"x\":[{"}}],"usage":{"prompt_tokens":50,"completion_tokens":60}})",
             "input=50 output=60"},
        Case{"PlantedInContent", "chat/completions",
             R"({"choices":[{"usage":{"prompt_tokens":1},"message":{"usage":{"prompt_tokens":1}}}],"usage":{"prompt_tokens":50,"completion_tokens":60}})",
             "input=50 output=60"},
        Case{"PlantedBackslash", "chat/completions", R"({"choices":[{"message":{"content":"\\"}}],"usage":{"prompt_tokens":5,"completion_tokens":6}})",
             "input=5 output=6"},
        Case{"PlantedDeepInUsage", "chat/completions", R"({"usage":{"prompt_tokens":5,"x":{"prompt_tokens":1,"completion_tokens":1},"completion_tokens":6}})",
             "input=5 output=6"},
        Case{"EscapedNames", "chat/completions",
             R"({"us\u0061ge":{"prompt\u005ftokens":5,"completi\u006fn_tokens":6,"prompt_tokens_d\u0065tails":{"cached_tokens":4}}})",
             "input=5 cached=4 output=6"},
        Case{"TheLastUsageWins", "chat/completions", R"({"usage":{"prompt_tokens":1,"completion_tokens":9},"usage":{"prompt_tokens":5}})", "input=5"},
        Case{"TheLastUsageIsNull", "chat/completions", R"({"usage":{"prompt_tokens":1},"usage":null})", "not given"},
        Case{"TheLastCountWins", "chat/completions", R"({"usage":{"prompt_tokens":1,"prompt_tokens":2,"prompt_tokens_details":{"cached_tokens":2},)"
                                                     R"("prompt_tokens_details":{}}})",
             "input=2"},
        Case{"AnArrayOfUsage", "chat/completions", R"({"usage":[{"prompt_tokens":1}]})", "not given"},
        Case{"AnEmptyUsage", "chat/completions", R"({"usage":{}})", "not given"},
        Case{"TextForNumbers", "chat/completions", R"({"usage":{"prompt_tokens":"5","completion_tokens":6}})", "output=6"},
        Case{"Garbage", "chat/completions", R"({"usage":{"prompt_tokens":-5,"completion_tokens":99999999999999999999,"total_tokens":1e400}})",
             "output=1000000000"},
        Case{"Fractions", "chat/completions", R"({"usage":{"prompt_tokens":5.9,"completion_tokens":1e2}})", "input=5 output=100"},
        Case{"Truncated", "chat/completions", R"({"choices":[],"usage":{"prompt_tokens":50,"completion_tok)", "not given"},
        Case{"CutBehindUsage", "chat/completions", R"({"usage":{"prompt_tokens":50,"completion_tokens":6},"service_ti)", "input=50 output=6"},
        Case{"NoJson", "chat/completions", "<html>usage</html>", "not given"}, Case{"Nothing", "chat/completions", "{}", "not given"},
        Case{"AnArray", "chat/completions", R"([{"usage":{"prompt_tokens":1}}])", "not given"},
        Case{"TooManyClosings", "chat/completions", R"(}]}{"usage":{"prompt_tokens":1}})", "input=1"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(JsonAnswer, CachedAudioHasThePriceOfTheCache) {
  const auto metered = meter_in_all_pieces(
      json_answer("chat/completions"),
      R"({"usage":{"prompt_tokens":1000,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":600,"audio_tokens":800,"image_tokens":9,)"
      R"("cached_tokens_details":{"text_tokens":100,"audio_tokens":500,"image_tokens":2}}}})");
  EXPECT_EQ(describe(metered.usage), "input=1000 cached=600 audio_input=300 image_input=7 output=1");
}

TEST(JsonAnswer, NestingOfAnyDepthIsPassedOver) {
  const std::string deep(100'000, '[');
  const std::string body = R"({"choices":[{"message":{"x":)" + deep + R"({"usage":{"prompt_tokens":1}})" + std::string(deep.size(), ']') +
                           R"(}}],"usage":{"prompt_tokens":5,"completion_tokens":6}})";
  EXPECT_EQ(describe(meter(json_answer("chat/completions"), {body}).usage), "input=5 output=6");
}

TEST(JsonAnswer, IsCompleteWithThePieceThatClosesIt) {
  AnswerMeter meter(json_answer("embeddings"));
  const auto first = meter.pass(R"({"data":[],"usage":{"prompt_tokens":8,)");
  EXPECT_EQ(first.last_from, first.views.size());
  EXPECT_FALSE(meter.has_ended());
  const auto last = meter.pass(R"("total_tokens":8}})");
  ASSERT_EQ(last.views.size(), 1u);
  EXPECT_EQ(last.last_from, 0u);
  EXPECT_TRUE(meter.has_ended());
  EXPECT_EQ(meter.usage().input, 8);
  EXPECT_EQ(meter.pass("\n").last_from, 0u);
}

TEST(JsonAnswer, PassesWithoutACopy) {
  AnswerMeter meter(json_answer("chat/completions"));
  const std::string_view piece = R"({"usage":null})";
  const auto passed = meter.pass(piece);
  ASSERT_EQ(passed.views.size(), 1u);
  EXPECT_EQ(passed.views[0].data(), piece.data());
}

TEST(JsonAnswer, TellsItsModel) {
  EXPECT_EQ(meter_in_all_pieces(json_answer("chat/completions"), R"({"model":"gpt-4o","choices":[{"model":"no"}]})").model, "gpt-4o");
}

TEST(JsonAnswer, EstimatesWhatWasDelivered) {
  // 36 bytes of text in one body.
  const auto metered = meter_in_all_pieces(
      json_answer("chat/completions"),
      R"({"choices":[{"message":{"role":"assistant","content":"0123456789\n\u00e9\ud83d\ude00","refusal":"abc","tool_calls":[{"function":{"name":"none",)"
      R"("arguments":"{\"a\":1}"}}]},"logprobs":{"content":[{"token":"0","text":"none"}]}}]})");
  EXPECT_EQ(metered.delivered, (10 + 1 + 2 + 4 + 3 + 7) / 4);
}

TEST(JsonAnswer, CountsWhatACutBodyDelivered) {
  EXPECT_EQ(meter(json_answer("chat/completions"), {R"({"choices":[{"message":{"content":"0123456789abcdef"},)"}).delivered, 4);
}

struct Subtitles {
  const char* text;
  const char* usage;
};
class SubtitleAnswer : public testing::TestWithParam<Subtitles> {};

TEST_P(SubtitleAnswer, TellsItsLengthByItsLastTime) {
  EXPECT_EQ(describe(meter_in_all_pieces({"audio/transcriptions", "text/plain; charset=utf-8", false}, GetParam().text).usage), GetParam().usage);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, SubtitleAnswer,
    testing::Values(Subtitles{"1\n00:00:00,000 --> 00:00:04,480\nHello.\n\n2\n00:00:04,480 --> 01:02:03,456\nBye.\n\n", "ms=3723456"},
                    Subtitles{"WEBVTT\r\n\r\n00:00.000 --> 00:04.480 align:start\r\nHello.\r\n\r\n00:04.480 --> 02:08.470\r\nBye", "ms=128470"},
                    Subtitles{"1\n00:00:00,000 --> 00:00:09,000\n99:99:99 --> is no time, 00:00:00,000 --> neither\n", "ms=9000"},
                    Subtitles{"99999999999999:00:00,000 --> 99999999999999:00:00,000", "ms=1000000000"},
                    Subtitles{"Plain text, no times.\n", "not given"}, Subtitles{"00:00:01,000 --> 00:00:02,000", "ms=2000"}));

struct Transcript {
  const char* content_type;
  const char* text;
  std::int64_t delivered;
};
class TranscriptAnswer : public testing::TestWithParam<Transcript> {};

TEST_P(TranscriptAnswer, CountsWhatWasSaid) {
  for (const char* endpoint : {"audio/transcriptions", "audio/translations"}) {
    EXPECT_EQ(meter_in_all_pieces({endpoint, GetParam().content_type, false}, GetParam().text).delivered, GetParam().delivered);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, TranscriptAnswer,
                         testing::Values(Transcript{"text/plain; charset=utf-8", "Twenty bytes of it.\n", 5}, Transcript{"text/vtt", "WEBVTT\n\n", 2}, Transcript{"text/plain", "", 0},
                                         Transcript{"application/json", R"({"text":"Twenty bytes of it.\n"})", 5}, Transcript{"application/json", R"({"text":["Twenty bytes of it.\n"]})", 0},
                                         Transcript{"application/json", R"({"segments":[{"text":"Twenty bytes of it."}],"text":"12345678","duration":2})", 2}));

TEST(OtherAnswer, PassesUnread) {
  const auto metered = meter_in_all_pieces({"audio/speech", "audio/mpeg", true}, R"({"usage":{"input_tokens":1}})");
  EXPECT_EQ(describe(metered.usage), "not given");
  EXPECT_FALSE(metered.has_ended);
  EXPECT_EQ(metered.passed, R"({"usage":{"input_tokens":1}})");
}

}  // namespace
}  // namespace proxyxai
