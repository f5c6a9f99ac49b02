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
  add("links", f.links, 0);
  add("characters", f.characters, 0);
  add("best_of", f.best_of, 1);
  add("prompts", f.prompts, 1);
  add("file", f.file_bytes, 0);
  add("ms", f.audio_ms, 0);
  out += std::string(f.background ? " background" : "") + (f.refers_to_stored ? " stored" : "");
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
        Case{R"({"model":"m","messages":[{"role":"user","content":"12345"}],"max_tokens":7,"stream":true})", "m stream max=7 text=55"},
        Case{R"({"max_tokens":7,"max_completion_tokens":9,"max_output_tokens":8})", " max=9 text=51"},
        Case{R"({"max_tokens":7,"max_tokens":3})", " max=3 text=22"}, Case{R"({"max_tokens":7,"max_tokens":null})", " text=25"},
        Case{R"({"max_tokens":7,"max_completion_tokens":9,"max_completion_tokens":{}})", " max=7 text=54"},
        Case{R"({"max_tokens":-1})", " text=12"}, Case{R"({"max_tokens":"9"})", " text=11"}, Case{R"({"max_tokens":1e3})", " max=1000 text=13"},
        // Too long to be kept whole: the rest may make it any number.
        Case{R"({"max_tokens":1.00000000000000000000000000000000000000000000000e3,"n":1.00000000000000000000000000000000000000000000000e1})",
             " max=1000000000 n=1000 text=113"},
        Case{R"({"max_tokens":1E-400})", " max=0 text=16"},
        Case{R"({"max_tokens":99999999999999999999999})", " max=1000000000 text=33"}, Case{R"({"max\u005ftokens":5})", " max=5 text=11"},
        Case{R"({"tools":[{"max_tokens":5,"n":9}],"n":3})", " n=3 text=20"}, Case{R"({"n":0})", " text=2"}, Case{R"({"n":1001})", " text=5"}, Case{R"({"n":1000})", " n=1000 text=5"},
        Case{R"({"n":3,"n":null})", " text=7"}, Case{R"({"n":3,"n":[2]})", " text=4"}, Case{R"({"n":-5})", " text=3"},
        Case{R"({"input":"na\u00efve \ud83d\ude00 ok"})", " text=19 characters=10"}, Case{"{\"input\":\"na\xc3\xafve\"}", " text=11 characters=5"},
        Case{R"({"input":["a","b"]})", " text=7 characters=2"}, Case{R"({"input":"a\n\"b"})", " text=9 characters=4"}, Case{R"({"input":"abc","input":[]})", " text=13"},
        Case{R"({"size":"1024x1024","quality":"hd","response_format":"b64_json","service_tier":"flex"})", " text=61 1024x1024 hd b64_json flex"},
        Case{R"({"response_format":{"type":"json_schema"},"service_tier":null})", " text=46"},
        Case{R"({"size":"0123456789012345678901234567890123456789"})", " text=44 01234567890123456789012345678901"},
        Case{R"({"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"text":"hi"}]}]})", " text=46 urls=1"},
        Case{R"({"input":[{"type":"input_image","image_url":"data:x"},{"type":"input_file","file_data" : "data:y"}]})", " text=52 urls=2 characters=47"},
        Case{R"({"messages":[{"image_url":{"\u0075rl":"dat\u0061:x"}}]})", " text=20 urls=1"},
        Case{R"({"messages":[{"content":"data: so much of a prompt"}]})", " text=40"}, Case{R"({"x":[{"url":{"data:":"abc"}}]})", " text=12"},
        Case{R"({"x":{"a name" : "value", "b":["c", "d" ]}})", " text=15"}, Case{R"({"x":{"a":"b\\","c":"\u00e9\ud83d\ude00"}})", " text=11"}));

// What a client could ask for without its being seen.
INSTANTIATE_TEST_SUITE_P(
    Hidden, RequestBodyFacts,
    testing::Values(
        // Text as names, as numbers, and as arrays of tokens.
        Case{R"({"tools":[{"properties":{"0123456789":{"01234" : 12}}}]})", " text=32"}, Case{R"({"x":{"0123456789":1,"n":-2.5e3,"t":true,"f":[false,null]}})", " text=34"},
        Case{R"({"input":[[1234,5678], [9 ,10]]})", " text=16 characters=11"}, Case{R"({"input":[12345,  67890]})", " text=15 characters=10"},
        Case{R"({"0123456789012345678901234567890123456789012345678901234567890123456789":1})", " text=71"}, Case{R"([12,"ab",{"c":34}])", " text=7"},
        Case{R"({"stream_options":{"01234":56}})", " text=21"},
        Case{R"({"best_of":20,"n":2})", " n=2 text=11 best_of=20"}, Case{R"({"best_of":1001})", " text=11"}, Case{R"({"best_of":5,"best_of":0})", " text=16"},
        Case{R"({"best_of":5,"best_of":[]})", " text=15"}, Case{R"({"x":{"best_of":5,"prompt":["a","b"],"background":true,"conversation":"c"}})", " text=44"},
        Case{R"({"prompt":"ab"})", " text=8"}, Case{R"({"prompt":["ab","cd" ,"e"]})", " text=11 prompts=3"}, Case{R"({"prompt":[1,2,3]})", " text=9"},
        Case{R"({"prompt":[[1,2],[3], "x"]})", " text=10 prompts=3"}, Case{R"({"prompt":[]})", " text=6"}, Case{R"({"prompt":["a","b"],"prompt":null})", " text=18"},
        Case{R"({"prompt":["a","b"],"prompt":["c"]})", " text=15"}, Case{R"({"prompt":["a","b"],"n":2})", " n=2 text=10 prompts=2"},
        Case{R"({"background":true})", " text=14 background"}, Case{R"({"background":true,"background":false})", " text=29"}, Case{R"({"background":"true"})", " text=14"},
        Case{R"({"previous_response_id":"r"})", " text=21 stored"}, Case{R"({"previous_response_id":null})", " text=24"},
        Case{R"({"previous_response_id":"r","previous_response_id":null})", " text=45"}, Case{R"({"conversation":"c"})", " text=13 stored"},
        Case{R"({"conversation":{"id":"c"}})", " text=15 stored"}, Case{R"({"conversation":null})", " text=16"}, Case{R"({"prompt":{"id":"p"}})", " text=9 stored"},
        Case{R"({"prompt":{"id":"p"},"prompt":"x"})", " text=16"}, Case{R"({"prompt":{"id":"p"},"conversation":null,"previous_response_id":null})", " text=49 stored"},
        Case{R"({"input":[{"image_url":"https://x"},{"file_url":"http:x"},{"file_id":"f"},{"file_url":"data:x"},{"url":"HTTP://x"}]})", " text=70 links=4 characters=65"},
        Case{R"({"messages":[{"image_url":{"url" : "ht\u0074p://x"}},{"image_url":{"file_id":"f"}}]})", " text=45 links=2"},
        Case{R"({"x":[{"url":{"http://x":1}},{"file_id":{"f":"g"}},{"url":"ftp://x"},{"text":"http://x"},"http://x","file_id"]})", " text=59"},
        Case{R"({"file_id":"f","url":"data:x"})", " text=11 urls=1 links=1"},
        // A half of a pair is a character; speech that is no string is as long as its text.
        Case{R"({"input":"\udc00\udc00\udc00"})", " text=14 characters=3"}, Case{R"({"input":"\ud83dx\ude00"})", " text=12 characters=3"},
        Case{R"({"input":"\ud83d\n\ude00"})", " text=12 characters=3"}, Case{R"({"input":"\ud83d\ud83d\ude00\ude00"})", " text=15 characters=3"},
        Case{R"({"input":"\ud83d","x":"\ude00"})", " text=12 characters=1"}, Case{R"({"input":123456})", " text=11 characters=6"},
        Case{R"({"input":{"a":["bc",34]}})", " text=10 characters=5"}, Case{R"({"input":["abc"],"input":"d"})", " text=14 characters=1"}));

TEST(JsonScan, CountsTokensOfAnyNumber) {
  std::string tokens;
  for (int i = 0; i < 1'000; ++i) tokens += std::to_string(100'000 + i) + (i % 3 == 0 ? " , " : ",");
  EXPECT_EQ(facts_of(R"({"input":[[)" + tokens + R"(1]]})").text_bytes, 5 + 6'000 + 1);
  EXPECT_EQ(facts_of(R"({"prompt":[)" + tokens + R"(1]})").text_bytes, 6 + 6'000 + 1);
}

TEST(JsonScan, CountsTextOfAnySize) {
  const std::string body = R"({"messages":[{"content":")" + std::string(5'000, 'x') + R"(\n"}]})";
  EXPECT_EQ(facts_of(body).text_bytes, 5'016);
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
