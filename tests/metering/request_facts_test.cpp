#include <gtest/gtest.h>

#include "pieces.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

std::string describe(const RequestFacts& f) {
  std::string out = f.model + (f.stream ? " stream" : "");
  const auto add = [&out](const char* name, std::int64_t value, std::int64_t usual) {
    if (value != usual) out += std::string(" ") + name + "=" + std::to_string(value);
  };
  add("max", f.max_tokens.value_or(-1), -1);
  add("n", f.n, 1);
  add("text", f.text_bytes, 0);
  add("urls", f.data_urls, 0);
  add("characters", f.characters, 0);
  add("file", f.file_bytes, 0);
  add("ms", f.audio_ms, 0);
  for (const std::string& each : {f.size, f.quality, f.response_format, f.tier}) out += each.empty() ? "" : " " + each;
  return out;
}

/// The facts of `body`, which must not depend on how it comes.
RequestFacts facts_of(const std::string& body) {
  RequestFacts whole;
  JsonScan(whole).feed(body);
  in_all_pieces(body, [&](const Pieces& pieces) {
    RequestFacts split;
    JsonScan scan(split);
    for (const auto piece : pieces) {
      const std::vector<char> copy(piece.begin(), piece.end());
      scan.feed({copy.data(), copy.size()});
    }
    EXPECT_EQ(describe(split), describe(whole)) << body;
    const auto edit = ask_for_usage(split), expected = ask_for_usage(whole);
    ASSERT_EQ(edit.has_value(), expected.has_value());
    if (edit) EXPECT_TRUE(edit->at == expected->at && edit->removed == expected->removed && edit->text == expected->text) << body;
  });
  return whole;
}

struct Case {
  const char* body;
  const char* facts;
};
class RequestBodyFacts : public testing::TestWithParam<Case> {};
TEST_P(RequestBodyFacts, AreFound) { EXPECT_EQ(describe(facts_of(GetParam().body)), GetParam().facts) << GetParam().body; }

INSTANTIATE_TEST_SUITE_P(
    Bodies, RequestBodyFacts,
    testing::Values(
        Case{R"({"model":"m","messages":[{"role":"user","content":"12345"}],"max_tokens":7,"stream":true})", "m stream max=7 text=10"},
        Case{R"({"max_tokens":7,"max_completion_tokens":9,"max_output_tokens":8})", " max=9"},
        Case{R"({"max_tokens":7,"max_tokens":3})", " max=3"}, Case{R"({"max_tokens":7,"max_tokens":null})", ""},
        Case{R"({"max_tokens":7,"max_completion_tokens":9,"max_completion_tokens":{}})", " max=7"},
        Case{R"({"max_tokens":-1})", ""}, Case{R"({"max_tokens":"9"})", " text=1"}, Case{R"({"max_tokens":1e3})", " max=1000"},
        Case{R"({"max_tokens":99999999999999999999999})", " max=1000000000"}, Case{R"({"max\u005ftokens":5})", " max=5"},
        Case{R"({"tools":[{"max_tokens":5,"n":9}],"n":3})", " n=3"}, Case{R"({"n":0})", ""}, Case{R"({"n":1001})", ""}, Case{R"({"n":1000})", " n=1000"},
        Case{R"({"n":3,"n":null})", ""}, Case{R"({"n":3,"n":[2]})", ""}, Case{R"({"n":-5})", ""},
        Case{R"({"input":"na\u00efve \ud83d\ude00 ok"})", " text=14 characters=10"}, Case{"{\"input\":\"na\xc3\xafve\"}", " text=6 characters=5"},
        Case{R"({"input":["a","b"]})", " text=2"}, Case{R"({"input":"a\n\"b"})", " text=4 characters=4"}, Case{R"({"input":"abc","input":[]})", " text=3"},
        Case{R"({"size":"1024x1024","quality":"hd","response_format":"b64_json","service_tier":"flex"})", " text=23 1024x1024 hd b64_json flex"},
        Case{R"({"response_format":{"type":"json_schema"},"service_tier":null})", " text=11"},
        Case{R"({"size":"0123456789012345678901234567890123456789"})", " text=40 01234567890123456789012345678901"},
        Case{R"({"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"text":"hi"}]}]})", " text=11 urls=1"},
        Case{R"({"input":[{"type":"input_image","image_url":"data:x"},{"type":"input_file","file_data" : "data:y"}]})", " text=21 urls=2"},
        Case{R"({"messages":[{"image_url":{"\u0075rl":"dat\u0061:x"}}]})", " urls=1"},
        Case{R"({"messages":[{"content":"data: so much of a prompt"}]})", " text=25"}, Case{R"({"x":[{"url":{"data:":"abc"}}]})", " text=3"},
        Case{R"({"x":{"a name" : "value", "b":["c", "d" ]}})", " text=7"}, Case{R"({"x":{"a":"b\\","c":"\u00e9\ud83d\ude00"}})", " text=8"}));

TEST(JsonScan, CountsTextOfAnySize) {
  const std::string body = R"({"messages":[{"content":")" + std::string(5'000, 'x') + R"(\n"}]})";
  EXPECT_EQ(facts_of(body).text_bytes, 5'001);
}

struct Asking {
  const char* body;
  const char* asked;  // the same: it is left alone
};
class AskForUsage : public testing::TestWithParam<Asking> {};

TEST_P(AskForUsage, ChangesTheBodyInOnePlace) {
  std::string body = GetParam().body;
  const auto edit = ask_for_usage(facts_of(body));
  if (edit) body.replace(edit->at, edit->removed, edit->text);
  EXPECT_EQ(body, GetParam().asked);
  // Asked once, it asks.
  if (edit) EXPECT_FALSE(ask_for_usage(facts_of(body)));
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, AskForUsage,
    testing::Values(
        Asking{R"({"model":"m"})", R"({"stream_options":{"include_usage":true},"model":"m"})"},
        Asking{R"( { "model":"m"})", R"( {"stream_options":{"include_usage":true}, "model":"m"})"}, Asking{"{}", R"({"stream_options":{"include_usage":true}})"},
        Asking{"{ \n}", "{\"stream_options\":{\"include_usage\":true} \n}"},
        Asking{R"({"stream_options":null,"a":1})", R"({"stream_options":{"include_usage":true},"a":1})"},
        Asking{R"({"stream_options": {} })", R"({"stream_options": {"include_usage":true} })"},
        Asking{R"({"stream_options":{ "include_obfuscation":false}})", R"({"stream_options":{"include_usage":true, "include_obfuscation":false}})"},
        Asking{R"({"stream_options":{"include_usage":false,"x":1}})", R"({"stream_options":{"include_usage":true,"x":1}})"},
        Asking{R"({"stream_options":{"include_usage":null}})", R"({"stream_options":{"include_usage":true}})"},
        Asking{R"({"stream_options":{"include_usage":{"a":[1]}}})", R"({"stream_options":{"include_usage":true}})"},
        Asking{R"({"stream_options":{"include_usage":"no" }})", R"({"stream_options":{"include_usage":true }})"},
        Asking{R"({"stream_options":{"include_usage":true}})", R"({"stream_options":{"include_usage":true}})"},
        Asking{R"({"stream_options":{"include_usage":true,"include_usage":false}})", R"({"stream_options":{"include_usage":true,"include_usage":true}})"},
        Asking{R"({"stream_options":{"include_usage":true},"stream_options":{}})", R"({"stream_options":{"include_usage":true},"stream_options":{"include_usage":true}})"},
        Asking{R"({"stream_options":{"include_usage":true},"stream_options":null})",
               R"({"stream_options":{"include_usage":true},"stream_options":{"include_usage":true}})"},
        Asking{R"({"stream\u005foptions":{"x":{"include_usage":true}}})", R"({"stream\u005foptions":{"include_usage":true,"x":{"include_usage":true}}})"},
        Asking{R"({"a":{"stream_options":{"include_usage":true}}})", R"({"stream_options":{"include_usage":true},"a":{"stream_options":{"include_usage":true}}})"},
        // The client's fault, which upstream has to see.
        Asking{R"({"stream_options":"x"})", R"({"stream_options":"x"})"}, Asking{R"({"stream_options":[{}]})", R"({"stream_options":[{}]})"},
        Asking{R"({"stream_options":true})", R"({"stream_options":true})"}, Asking{R"({"stream_options":{"a":1)", R"({"stream_options":{"a":1)"},
        Asking{"[1]", "[1]"}, Asking{"", ""}, Asking{"nonsense", "nonsense"}));

}  // namespace
}  // namespace proxyxai
