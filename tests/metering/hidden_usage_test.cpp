#include "metered.hpp"

namespace proxyxai {
namespace {

const std::string given = R"({"prompt_tokens":9,"completion_tokens":2,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":4}})";

/// A stream as upstream sends it when it is asked for usage, and when it is not.
struct Stream {
  std::string asked, unasked;
};

struct Style {
  const char* name;
  std::string end;      // of a line
  const char* prefix;   // of data
  const char* comma;
  const char* colon;
};
void PrintTo(const Style& style, std::ostream* out) { *out << style.name; }

/// `members`, in the style; the one that is `usage` only when asked.
void add_event(Stream& stream, const Style& style, const std::vector<std::pair<std::string, std::string>>& members) {
  std::string asked, unasked;
  for (const auto& [name, value] : members) {
    const std::string member = "\"" + name + "\"" + style.colon + value;
    asked += (asked.empty() ? "" : style.comma) + member;
    if (name != "usage") unasked += (unasked.empty() ? "" : style.comma) + member;
  }
  stream.asked += style.prefix + ("{" + asked + "}") + style.end + style.end;
  stream.unasked += style.prefix + ("{" + unasked + "}") + style.end + style.end;
}

void add_both(Stream& stream, const std::string& text) {
  stream.asked += text;
  stream.unasked += text;
}

const std::string choices = R"([{"index":0,"delta":{"content":"He said \"usage\":null, {[\\"},"usage":null,"finish_reason":null}])";

Stream stream_of(const Style& style) {
  Stream stream;
  add_both(stream, ": processing" + style.end + style.end);
  add_event(stream, style, {{"id", "\"c1\""}, {"choices", choices}, {"usage", "null"}});
  add_event(stream, style, {{"id", "\"c1\""}, {"choices", choices}, {"usage", "null"}, {"obfuscation", "\"usage\""}});
  add_event(stream, style, {{"id", "\"c1\""}, {"choices", choices}, {"usage", "null"}, {"obfuscation", "\"usage\""}});
  add_event(stream, style, {{"usage", "null"}, {"id", "\"c1\""}, {"choices", choices}});
  add_event(stream, style, {{"usage", "null"}});
  add_event(stream, style, {{"usage", "null"}, {"usage", "null"}, {"id", "\"c1\""}, {"usage", "null"}, {"usage", "null"}, {"choices", choices}});
  add_event(stream, style, {{"prompt_filter_results", "[]"}, {"choices", "[]"}});
  add_event(stream, style, {{"choices", choices}, {"x", R"({"usage":null})"}});
  Stream extra;
  add_event(extra, style, {{"id", "\"c1\""}, {"choices", "[]"}, {"usage", given}, {"obfuscation", "\"x\""}});
  stream.asked += extra.asked;
  add_both(stream, style.prefix + ("[DONE]" + style.end + style.end));
  return stream;
}

class HiddenUsage : public testing::TestWithParam<Style> {};

TEST_P(HiddenUsage, LeavesWhatAClientWouldHaveSeenWithoutIt) {
  const Stream stream = stream_of(GetParam());
  const auto metered = meter_in_all_pieces(event_answer("chat/completions", true), stream.asked);
  EXPECT_EQ(metered.passed, stream.unasked);
  EXPECT_EQ(describe(metered.usage), "input=9 cached=4 output=2");
  EXPECT_TRUE(metered.was_given);
  EXPECT_TRUE(metered.has_ended);
  EXPECT_EQ(metered.passed.substr(metered.before_last.size()), GetParam().prefix + ("[DONE]" + GetParam().end + GetParam().end));
}

TEST_P(HiddenUsage, ChangesNothingInAStreamThatHasNone) {
  const Stream stream = stream_of(GetParam());
  EXPECT_EQ(meter_in_all_pieces(event_answer("chat/completions", true), stream.unasked).passed, stream.unasked);
  EXPECT_EQ(meter_in_all_pieces(event_answer("completions", false), stream.asked).passed, stream.asked);
}

INSTANTIATE_TEST_SUITE_P(Styles, HiddenUsage,
                         testing::Values(Style{"upstream", "\n", "data: ", ",", ":"}, Style{"spaced", "\n", "data:", ", ", ": "},
                                         Style{"crlf", "\r\n", "data: ", ",", ":"}, Style{"cr", "\r", "data: ", ",", " : "},
                                         Style{"named", "\n", "id: 1\nevent: message\ndata: ", ",", ":"}));

std::string hidden(const std::string& text) { return meter_in_all_pieces(event_answer("chat/completions", true), text).passed; }

TEST(HiddenUsage, TakesEscapedNamesOutToo) { EXPECT_EQ(hidden("data: {\"a\":1,\"us\\u0061ge\":null,\"b\":2}\n\n"), "data: {\"a\":1,\"b\":2}\n\n"); }

TEST(HiddenUsage, LeavesUsageThatUpstreamGivesBesideChoices) {
  const std::string text = "data: {\"choices\":[{\"delta\":{}}],\"usage\":{\"prompt_tokens\":1}}\n\n";
  EXPECT_EQ(hidden(text), text);
}

TEST(HiddenUsage, LeavesOtherValuesOfThatName) {
  for (const char* value : {"0", "\"null\"", "[null]", "{}", "nullx"}) {
    const std::string text = std::string("data: {\"choices\":[1],\"usage\":") + value + ",\"a\":1}\n\n";
    EXPECT_EQ(hidden(text), text);
  }
}

TEST(HiddenUsage, TakesOutTheExtraChunkOfAStreamWithoutAnEnd) {
  const std::string chunk = "data: {\"choices\":[{}]}\n\n";
  const auto metered = meter_in_all_pieces(event_answer("chat/completions", true), chunk + "data: {\"choices\":[],\"usage\":" + given + "}\n");
  EXPECT_EQ(metered.passed, chunk);
  EXPECT_EQ(describe(metered.usage), "input=9 cached=4 output=2");
}

TEST(HiddenUsage, GivesWhatWasHeldBackAtTheEnd) {
  EXPECT_EQ(hidden("data: {\"choices\":[{}],\"usage\":null}\n"), "data: {\"choices\":[{}]}\n");
  EXPECT_EQ(hidden("data: {\"choices\":[{\"delta\":"), "data: {\"choices\":[{\"delta\":");
  EXPECT_EQ(hidden("dat"), "dat");
  EXPECT_EQ(hidden("data: [DONE]"), "data: [DONE]");
}

TEST(HiddenUsage, LeavesDocumentsOnSeveralLines) {
  const std::string text = "data: {\"a\":1,\ndata: \"usage\":null}\n\n";
  EXPECT_EQ(hidden(text), text);
}

TEST(HiddenUsage, HoldsAnEventUntilItIsComplete) {
  AnswerMeter meter(event_answer("chat/completions", true));
  EXPECT_TRUE(meter.pass("data: {\"choices\":[{}],\"usage\":").views.empty());
  EXPECT_TRUE(meter.pass("null}\n").views.empty());
  const auto passed = meter.pass("\n");
  ASSERT_EQ(passed.views.size(), 1u);
  EXPECT_EQ(passed.views[0], "data: {\"choices\":[{}]}\n\n");
  EXPECT_EQ(passed.last_from, 1u);
}

TEST(HiddenUsage, HoldsNoMoreThanItsBound) {
  AnswerMeter meter(event_answer("chat/completions", true));
  const std::string text = "data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(200'000, 'x') + "\"}}],\"usage\":null}\n\n";
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 1'000) {
    for (const auto view : meter.pass(std::string_view(text).substr(at, 1'000)).views) out += view;
    EXPECT_LE(at, out.size() + (64 << 10) + 1'000);
  }
  EXPECT_EQ(out, text);
  // The next one is hidden again.
  const auto next = meter.pass("data: {\"choices\":[{}],\"usage\":null}\n\n");
  ASSERT_EQ(next.views.size(), 1u);
  EXPECT_EQ(next.views[0], "data: {\"choices\":[{}]}\n\n");
}

TEST(HiddenUsage, ThousandsOfNullsCostNoMemoryOfTheirOwn) {
  std::string text = "data: {\"a\":1";
  for (int i = 0; i < 1'000; ++i) text += ",\"usage\":null";
  const auto passed = hidden(text + "}\n\n");
  EXPECT_LT(passed.size(), text.size());
  EXPECT_TRUE(passed.starts_with("data: {\"a\":1,\"usage\":null"));
}

TEST(HiddenUsage, LeavesBodiesThatAreNoStream) {
  const std::string body = R"({"choices":[],"usage":null})";
  EXPECT_EQ(meter_in_all_pieces({"chat/completions", "application/json", true}, body).passed, body);
}

}  // namespace
}  // namespace proxyxai
