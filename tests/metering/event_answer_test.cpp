#include "metered.hpp"

namespace proxyxai {
namespace {

std::string data(const std::string& json) { return "data: " + json + "\n\n"; }

std::string chunk(const std::string& content, const std::string& rest = "") {
  return data(R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","service_tier":"default",)"
              R"("system_fingerprint":"fp_1","choices":[{"index":0,"delta":{"content":")" + content +
              R"("},"logprobs":null,"finish_reason":null}])" + rest + R"(,"obfuscation":"aB3"})");
}

const std::string done = "data: [DONE]\n\n";

std::string usage_chunk(const std::string& usage) {
  return data(R"({"id":"chatcmpl-1","object":"chat.completion.chunk","created":1741569952,"model":"gpt-4o-2024-08-06","service_tier":"default",)"
              R"("system_fingerprint":"fp_1","choices":[],"usage":)" + usage + R"(,"obfuscation":"x"})");
}

TEST(ChatEvents, TellTheirUsageBeforeTheyEnd) {
  const std::string text = chunk("Hello", R"(,"usage":null)") + chunk(" world", R"(,"usage":null)") +
                           usage_chunk(R"({"prompt_tokens":9,"completion_tokens":2,"total_tokens":11})") + done;
  const auto metered = meter_in_all_pieces(event_answer("chat/completions"), text);
  EXPECT_EQ(metered.passed, text);
  EXPECT_EQ(describe(metered.usage), "input=9 output=2");
  EXPECT_EQ(metered.model, "gpt-4o-2024-08-06");
  EXPECT_EQ(metered.delivered, 2);
  EXPECT_TRUE(metered.has_ended);
  EXPECT_TRUE(metered.was_given);
  EXPECT_EQ(metered.passed.substr(metered.before_last.size()), done);
}

TEST(ChatEvents, PassWithoutACopy) {
  AnswerMeter meter(event_answer("chat/completions"));
  const std::string text = chunk("a") + done;
  const auto passed = meter.pass(text);
  ASSERT_EQ(passed.views.size(), 2u);
  EXPECT_EQ(passed.last_from, 1u);
  EXPECT_EQ(passed.views[0].data(), text.data());
  EXPECT_EQ(passed.views[1].data(), text.data() + text.size() - done.size());
}

TEST(ChatEvents, HoldNothingBackThatIsOnlyTheStartOfTheLastEvent) {
  AnswerMeter meter(event_answer("chat/completions"));
  const auto first = meter.pass(chunk("a") + "data: [DON");
  EXPECT_EQ(first.views.size(), 1u);
  EXPECT_EQ(first.last_from, 1u);
  EXPECT_FALSE(meter.has_ended());
  const auto last = meter.pass("E]\n");
  EXPECT_EQ(last.last_from, 0u);
  EXPECT_TRUE(meter.has_ended());
  // What follows the end follows it also for the client.
  EXPECT_EQ(meter.pass("\n").last_from, 0u);
}

TEST(ChatEvents, WithoutUsageAreCountedByTheirText) {
  std::string text;
  for (int i = 0; i < 10; ++i) text += chunk("a");
  EXPECT_EQ(meter_in_all_pieces(event_answer("chat/completions"), text).delivered, 10);
  text += chunk(std::string(400, 'x'));
  const auto metered = meter_in_all_pieces(event_answer("chat/completions"), text);
  EXPECT_EQ(metered.delivered, 410 / 4);
  EXPECT_EQ(describe(metered.usage), "not given");
  EXPECT_FALSE(metered.has_ended);
}

TEST(ChatEvents, CountToolCallsAndReasoningAsText) {
  const std::string text = data(R"({"choices":[{"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,"id":"call_1","function":{"name":"f","arguments":"12345678"}}]}}]})") +
                           data(R"({"choices":[{"delta":{"reasoning_content":"12345678"}}]})") + data(R"({"choices":[{"delta":{}}]})");
  EXPECT_EQ(meter_in_all_pieces(event_answer("chat/completions"), text).delivered, 4);
}

TEST(ChatEvents, CountAudioByItsLength) {
  // 0.1 s of audio in base64, twice, and what it says.
  const std::string audio = data(R"({"choices":[{"delta":{"audio":{"id":"a","data":")" + std::string(6'400, 'A') + R"("}}}]})");
  EXPECT_EQ(meter_in_all_pieces(event_answer("chat/completions"), audio + audio).delivered, 4);
  const std::string said = data(R"({"choices":[{"delta":{"audio":{"transcript":"12345678"}}}]})");
  EXPECT_EQ(meter_in_all_pieces(event_answer("chat/completions"), audio + said).delivered, 4);
}

struct Ending {
  const char* name;
  const char* endpoint;
  std::vector<const char*> events;
  std::string is_ending;  // after each: yes or no
};
void PrintTo(const Ending& each, std::ostream* out) { *out << each.name; }
class EndingAnswer : public testing::TestWithParam<Ending> {};

TEST_P(EndingAnswer, IsOneWhoseTextIsComplete) {
  for (const bool hides : {false, true}) {
    AnswerMeter meter(event_answer(GetParam().endpoint, hides));
    std::string told;
    for (const char* event : GetParam().events) {
      for (const char c : data(event)) meter.pass({&c, 1});
      told += meter.is_ending() ? 'y' : 'n';
    }
    EXPECT_EQ(told, GetParam().is_ending);
  }
}

constexpr const char* a_text = R"({"choices":[{"delta":{"content":"a"},"finish_reason":null}],"usage":null})";
constexpr const char* a_stop = R"({"choices":[{"delta":{},"finish_reason":"stop"}],"usage":null})";
constexpr const char* a_delta = R"({"type":"response.output_text.delta","delta":"a"})";
constexpr const char* a_done = R"({"type":"response.output_text.done","text":"a"})";
INSTANTIATE_TEST_SUITE_P(
    Kinds, EndingAnswer,
    testing::Values(Ending{"Chat", "chat/completions", {a_text, a_stop, R"({"choices":[],"usage":{"prompt_tokens":1}})", "[DONE]"}, "nyyy"},
                    Ending{"ChatWithTextInItsLast", "chat/completions", {R"({"choices":[{"finish_reason":"length","delta":{"content":"a"}}]})"}, "y"},
                    Ending{"ChatOfSeveralChoices", "chat/completions", {a_text, a_stop, a_text, a_stop}, "nyny"},
                    Ending{"ChatWithoutAReason", "chat/completions", {R"({"choices":[{"delta":{"content":""finish_reason":"stop""},"finish_reason":""}]})"}, "n"},
                    Ending{"Completions", "completions", {R"({"choices":[{"text":"a","finish_reason":null}]})", R"({"choices":[{"text":"","finish_reason":"stop"}]})"}, "ny"},
                    Ending{"Response", "responses", {R"({"type":"response.created"})", a_delta, a_done, R"({"type":"response.output_item.done"})",
                                                     R"({"type":"response.completed","response":{}})"}, "nnyyy"},
                    Ending{"ResponseOfSeveralParts", "responses", {a_delta, a_done, R"({"type":"response.output_item.added"})", a_delta, a_done}, "nynny"},
                    Ending{"ErrorEnds", "chat/completions", {a_text, R"({"error":{"message":"m"}})"}, "ny"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(ChatEvents, OfCompletionsCountTheirText) {
  EXPECT_EQ(meter_in_all_pieces(event_answer("completions"), data(R"({"choices":[{"text":"12345678"}]})") + done).delivered, 2);
}

TEST(ChatEvents, BelieveNoPlantedUsage) {
  const std::string text = data(R"({"choices":[{"delta":{"content":"x","usage":{"prompt_tokens":1}}}],"x":{"usage":{"prompt_tokens":1}},"response":{"usage":{"prompt_tokens":1}}})") +
                           chunk(R"(\n\ndata: [DONE]\n\ndata: {\"usage\":{\"prompt_tokens\":1}})") + "event: x\nid: data: [DONE]\n\n: data: [DONE]\n\n";
  const auto metered = meter_in_all_pieces(event_answer("chat/completions"), text);
  EXPECT_EQ(describe(metered.usage), "not given");
  EXPECT_FALSE(metered.has_ended);
}

TEST(ChatEvents, AnErrorEndsTheAnswer) {
  const std::string error = data(R"({"error":{"message":"The server had an error","type":"server_error"}})");
  const auto metered = meter_in_all_pieces(event_answer("chat/completions"), chunk("a") + error);
  EXPECT_TRUE(metered.has_ended);
  EXPECT_EQ(metered.passed.substr(metered.before_last.size()), error);
}

TEST(ChatEvents, TheModelOfTheLastChunkWins) {
  const std::string text = chunk("a") + chunk("b") + data(R"({"model":"other","choices":[{"delta":{"content":"c"}}]})") + chunk("d");
  EXPECT_EQ(meter_in_all_pieces(event_answer("chat/completions"), text).model, "gpt-4o-2024-08-06");
  EXPECT_EQ(meter_in_all_pieces(event_answer("chat/completions"), text + data(R"({"model":"last"})")).model, "last");
}

TEST(ChatEvents, ThatBeginAlikeAreReadToTheirEnd) {
  // The same opening, but what it opens is not the same.
  const std::string opening = R"({"model":"m","choices":[{"delta":{"content":)";
  const std::string text = data(opening + R"("a"}}],"usage":null})") + data(opening + R"("bcdefghijklm"}}]})") + data(opening + R"(null}}],"usage":{"prompt_tokens":5}})") +
                           data(opening + R"(["x"]}}],"usage":null})") + data(opening) + data(opening + R"("n\u006fpqrstu"}}],"service_tier":"flex"})");
  const auto metered = meter_in_all_pieces(event_answer("chat/completions"), text);
  EXPECT_EQ(describe(metered.usage), "input=5 tier=flex");
  EXPECT_EQ(metered.delivered, (1 + 12 + 8) / 4);
}

TEST(ChatEvents, ThatBeginAlikeTellWhatTheOneBeforeThemOverwrote) {
  const std::string plain = data(R"({"model":"m","service_tier":"flex","choices":[{"delta":{"content":"a"}}]})");
  const std::string overwriting =
      data(R"({"model":"m","service_tier":"flex","choices":[{"delta":{"content":"a"}}],"model":"n","service_tier":"default"})");
  const auto metered = meter_in_all_pieces(event_answer("chat/completions"), plain + plain + plain + overwriting + plain);
  EXPECT_EQ(metered.model, "m");
  EXPECT_EQ(metered.usage.tier, "flex");
  EXPECT_EQ(meter_in_all_pieces(event_answer("chat/completions"), plain + plain + overwriting).model, "n");
}

class EventLineEnds : public testing::TestWithParam<const char*> {};

TEST_P(EventLineEnds, OfEveryKindAreUnderstood) {
  const std::string end = GetParam();
  const std::string text = ": comment" + end + end + "event: x" + end + "data:{\"choices\":[]," + end + "data: \"usage\":" + end +
                           "data:{\"prompt_tokens\":7,\"completion_tokens\":3}}" + end + "id: 4" + end + "retry" + end + end + "data:[DONE]" + end + end;
  const auto metered = meter_in_all_pieces(event_answer("chat/completions"), text);
  EXPECT_EQ(describe(metered.usage), "input=7 output=3");
  EXPECT_TRUE(metered.has_ended);
  EXPECT_EQ(metered.passed.substr(metered.before_last.size()), "data:[DONE]" + end + end);
}

INSTANTIATE_TEST_SUITE_P(Ends, EventLineEnds, testing::Values("\n", "\r", "\r\n"));

TEST(ResponseEvents, TellTheirUsageInTheLast) {
  const std::string last = "event: response.completed\n" +
                           data(R"({"type":"response.completed","sequence_number":9,"response":{"id":"resp_1","object":"response","model":"gpt-5.6-sol","tools":)"
                                R"([{"usage":{"input_tokens":1}}],"metadata":{"usage":{"input_tokens":1}},"service_tier":"flex","usage":{"input_tokens":37,)"
                                R"("input_tokens_details":{"cached_tokens":5,"cache_write_tokens":2},"output_tokens":11,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":48}}})");
  const std::string text = "event: response.created\n" + data(R"({"type":"response.created","response":{"model":"gpt-5.6-sol","usage":null,"error":null}})") +
                           "event: response.output_text.delta\n" + data(R"({"type":"response.output_text.delta","delta":"12345678"})") +
                           "event: response.output_text.done\n" + data(R"({"type":"response.output_text.done","text":"12345678"})") + last;
  const auto metered = meter_in_all_pieces(event_answer("responses"), text);
  EXPECT_EQ(describe(metered.usage), "input=37 cached=5 cache_write=2 output=11 reasoning=1 tier=flex");
  EXPECT_EQ(metered.model, "gpt-5.6-sol");
  EXPECT_EQ(metered.delivered, 2);
  EXPECT_TRUE(metered.was_given);
  EXPECT_EQ(metered.passed.substr(metered.before_last.size()), last);
}

struct LastEvent {
  const char* endpoint;
  const char* text;
  const char* usage;
};
class LastEvents : public testing::TestWithParam<LastEvent> {};

TEST_P(LastEvents, EndTheAnswer) {
  const auto metered = meter_in_all_pieces(event_answer(GetParam().endpoint), std::string("data: {\"type\":\"first\"}\n\n") + GetParam().text + "\n\n");
  EXPECT_TRUE(metered.has_ended);
  EXPECT_EQ(metered.before_last, "data: {\"type\":\"first\"}\n\n");
  EXPECT_EQ(describe(metered.usage), GetParam().usage);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, LastEvents,
    testing::Values(
        LastEvent{"responses", "data: {\"type\":\"response.incomplete\",\"response\":{\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}", "input=3 output=1"},
        LastEvent{"responses", "data: {\"type\":\"response.failed\",\"response\":{\"usage\":null}}", "not given"},
        LastEvent{"responses", "data: {\"response\":{\"usage\":{\"input_tokens\":3}},\"type\":\"response.completed\"}", "input=3"},
        LastEvent{"responses", "event: response.completed\ndata: {\"response\":{\"usage\":{\"input_tokens\":3}}}", "input=3"},
        LastEvent{"responses", "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"m\"}", "not given"},
        LastEvent{"audio/speech", "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":14,\"output_tokens\":101,\"total_tokens\":115}}",
                  "input=14 output=101 audio_output=101"},
        LastEvent{"audio/transcriptions",
                  "data: {\"type\":\"transcript.text.done\",\"text\":\"t\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,\"input_token_details\":"
                  "{\"text_tokens\":2,\"audio_tokens\":12},\"output_tokens\":5}}",
                  "input=14 audio_input=12 output=5"},
        LastEvent{"images/generations", "data: {\"type\":\"image_generation.completed\",\"b64_json\":\"AA\",\"size\":\"1024x1536\",\"quality\":\"low\","
                                        "\"usage\":{\"input_tokens\":10,\"output_tokens\":272,\"input_tokens_details\":{\"image_tokens\":4}}}",
                  "input=10 image_input=4 output=272 kind=low/1024x1536"},
        LastEvent{"images/edits", "data: {\"type\":\"image_edit.completed\",\"usage\":{\"input_tokens\":1}}", "input=1"},
        LastEvent{"threads", "event: done\ndata: [DONE]", "not given"}, LastEvent{"threads", "event: done", "not given"},
        LastEvent{"chat/completions", "data: [DONE]", "not given"}));

TEST(RunEvents, TellTheUsageOfTheRunNotOfItsSteps) {
  const std::string text =
      "event: thread.message.delta\n" + data(R"({"object":"thread.message.delta","delta":{"content":[{"index":0,"type":"text","text":{"value":"12345678"}}]}})") +
      "event: thread.run.step.completed\n" + data(R"({"object":"thread.run.step","usage":{"prompt_tokens":20,"completion_tokens":11}})") + "event: thread.run.completed\n" +
      data(R"({"object":"thread.run","metadata":{"usage":{"prompt_tokens":1}},"usage":{"prompt_tokens":30,"completion_tokens":21,"total_tokens":51}})") +
      "event: thread.run.step.completed\n" + data(R"({"object":"thread.run.step","usage":{"prompt_tokens":20,"completion_tokens":11}})") + "event: done\n" + done;
  const auto metered = meter_in_all_pieces(event_answer("threads"), text);
  EXPECT_EQ(describe(metered.usage), "input=30 output=21");
  EXPECT_EQ(metered.delivered, 2);
  EXPECT_EQ(metered.passed.substr(metered.before_last.size()), "event: done\n" + done);
}

TEST(AudioEvents, CountTheirDeltas) {
  const std::string text = data(R"({"type":"transcript.text.delta","delta":"12345678"})") + data(R"({"delta":"12345678","type":"transcript.text.delta"})") +
                           data(R"({"type":"other","delta":"12345678"})") + data(R"({"type":"transcript.text.done","text":"1234567812345678"})") +
                           data(R"({"text":"1234567812345678","type":"transcript.text.done"})");
  EXPECT_EQ(meter_in_all_pieces(event_answer("audio/transcriptions"), text).delivered, 4);
}

TEST(Events, ThatAreCutAreNotTheEnd) {
  for (const std::string text : {"data: [DON", "data: {\"type\":\"response.completed\",\"response\":{", "event: response.comple"}) {
    EXPECT_FALSE(meter_in_all_pieces(event_answer("responses"), text).has_ended) << text;
  }
}

TEST(Events, OfAnySizePass) {
  const std::string text = chunk(std::string(3'000'000, 'x')) + usage_chunk(R"({"prompt_tokens":1,"completion_tokens":2})") + done;
  Pieces pieces;
  for (std::size_t at = 0; at < text.size(); at += 16'384) pieces.push_back(std::string_view(text).substr(at, 16'384));
  const auto metered = meter(event_answer("chat/completions"), pieces);
  EXPECT_EQ(metered.passed, text);
  EXPECT_EQ(describe(metered.usage), "input=1 output=2");
  EXPECT_EQ(metered.delivered, 750'000);
}

TEST(Events, OfRandomBytesPassAsTheyCame) {
  std::minstd_rand random(3);
  static constexpr std::string_view alphabet = "{}[]\",:\\\r\n\r\ndata: usage null choices [DONE]0";
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (int i = 0; i < 200; ++i) text += alphabet[random() % alphabet.size()];
    for (const char* endpoint : {"chat/completions", "responses", "images/edits", "threads", "audio/speech"}) {
      Pieces pieces{std::string_view(text).substr(0, 77), std::string_view(text).substr(77)};
      EXPECT_EQ(meter(event_answer(endpoint), pieces).passed, text);
      meter(event_answer(endpoint, true), pieces);
      meter(json_answer(endpoint), pieces);
    }
  }
}

TEST(Usage, OfSeveralTurnsAddsUp) {
  Usage sum;
  Usage turn;
  turn.input = 10;
  turn.cached = 1;
  turn.audio_output = 4;
  turn.output = 5;
  turn.given = true;
  turn.tier = "flex";
  sum.add(turn);
  sum.add(turn);
  EXPECT_EQ(describe(sum), "input=20 cached=2 output=10 audio_output=8 tier=flex");
}

}  // namespace
}  // namespace proxyxai
