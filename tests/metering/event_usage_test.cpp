#include "metered.hpp"

namespace proxyxai {
namespace {

/// What the event tells, which must not depend on how it comes, nor on what came before it.
EventUsage read(std::string_view json) {
  EventReader reader;
  reader.feed(json);
  const EventUsage whole = reader.end();
  in_all_pieces(json, [&](const Pieces& pieces) {
    for (const auto piece : pieces) {
      const std::vector<char> copy(piece.begin(), piece.end());
      reader.feed({copy.data(), copy.size()});
    }
    const EventUsage split = reader.end();
    EXPECT_EQ(describe(split.usage), describe(whole.usage));
    EXPECT_EQ(split.model, whole.model);
    EXPECT_EQ(split.delivered, whole.delivered);
  });
  return whole;
}

TEST(SocketEvent, TellsTheUsageOfARealtimeTurn) {
  const auto told = read(
      R"({"type":"response.done","event_id":"e","response":{"object":"realtime.response","output":[{"usage":{"input_tokens":1}}],"metadata":{"usage":{"input_tokens":1}},)"
      R"("usage":{"total_tokens":253,"input_tokens":132,"output_tokens":121,"input_token_details":{"text_tokens":119,"audio_tokens":13,"image_tokens":0,"cached_tokens":64,)"
      R"("cached_tokens_details":{"text_tokens":60,"audio_tokens":4}},"output_token_details":{"text_tokens":30,"audio_tokens":91}}}})");
  EXPECT_EQ(describe(told.usage), "input=132 cached=64 audio_input=9 output=121 audio_output=91");
}

TEST(SocketEvent, TellsTheUsageAndModelOfAResponse) {
  const auto told = read(
      R"({"response":{"model":"gpt-5.6","service_tier":"priority","usage":{"input_tokens":5,"output_tokens":6}},"type":"response.completed"})");
  EXPECT_EQ(describe(told.usage), "input=5 output=6 tier=priority");
  EXPECT_EQ(told.model, "gpt-5.6");
}

TEST(SocketEvent, TellsTheUsageOfATranscription) {
  EXPECT_EQ(describe(read(R"({"type":"conversation.item.input_audio_transcription.completed","transcript":"hi","usage":{"type":"tokens","input_tokens":17,)"
                                      R"("input_token_details":{"audio_tokens":17},"output_tokens":9}})")
                         .usage),
            "input=17 audio_input=17 output=9");
  EXPECT_EQ(describe(read(R"({"usage":{"type":"duration","seconds":1.5},"type":"conversation.item.input_audio_transcription.completed"})").usage),
            "ms=1500");
}

TEST(SocketEvent, BelievesUsageInNoOtherPlace) {
  for (const char* json : {R"({"type":"response.done","usage":{"input_tokens":1}})",
                           R"({"type":"conversation.item.input_audio_transcription.completed","response":{"usage":{"input_tokens":1}}})",
                           R"({"type":"response.done","response":{"item":{"usage":{"input_tokens":1}}}})", R"({"type":"response.done","response":{"usage":null}})",
                           R"({"type":"response.done","response":[{"usage":{"input_tokens":1}}]})", R"({"type":"response.done","response":{"usage":{"input_tokens":)",
                           "[]", "", "null"}) {
    EXPECT_EQ(describe(read(json).usage), "not given") << json;
  }
}

TEST(SocketEvent, CountsWhatItDelivers) {
  EXPECT_EQ(read(R"({"type":"response.output_text.delta","delta":"12345678"})").delivered, 2);
  EXPECT_EQ(read(R"({"type":"response.output_text.delta","delta":"1"})").delivered, 1);
  EXPECT_EQ(read(R"({"type":"response.output_text.done","text":"12345678"})").delivered, 0);
  // 0.1 s of audio in base64.
  EXPECT_EQ(read(R"({"type":"response.output_audio.delta","delta":")" + std::string(6'400, 'A') + R"("})").delivered, 2);
}

TEST(SocketEvent, TellsNothingOfTheOneBeforeIt) {
  EventReader reader;
  reader.feed(R"({"type":"response.completed","response":{"model":"m","service_tier":"flex","usage":{"input_tokens":5}}})");
  EXPECT_EQ(describe(reader.end().usage), "input=5 tier=flex");
  const auto empty = reader.end();
  EXPECT_EQ(describe(empty.usage), "not given");
  EXPECT_EQ(empty.model, "");
  // One that is cut leaves nothing open.
  reader.feed(R"({"type":"response.output_text.delta","delta":"cut)");
  EXPECT_EQ(reader.end().delivered, 0);
  reader.feed(R"({"type":"response.completed","response":{"usage":{"input_tokens":6}}})");
  EXPECT_EQ(describe(reader.end().usage), "input=6");
}

TEST(SocketEvent, OfAnySizeTellsItsUsage) {
  EventReader reader;
  reader.feed(R"({"type":"response.completed","response":{"instructions":")");
  const std::string piece(16'384, 'i');
  for (int i = 0; i < 200; ++i) reader.feed(piece);
  reader.feed(R"(","model":"m","usage":{"input_tokens":819200,"output_tokens":6}}})");
  const auto told = reader.end();
  EXPECT_EQ(describe(told.usage), "input=819200 output=6");
  EXPECT_EQ(told.model, "m");
}

}  // namespace
}  // namespace proxyxai
