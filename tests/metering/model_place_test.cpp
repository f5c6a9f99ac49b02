#include <gtest/gtest.h>

#include "pieces.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

/// What the body has at the place where it names its model, however it comes.
template <class Scan, class... Arguments>
std::string place_in(const std::string& body, Arguments... arguments) {
  RequestFacts whole;
  Scan(whole, arguments...).feed(body);
  in_all_pieces(body, [&](const Pieces& pieces) {
    RequestFacts split;
    Scan scan(split, arguments...);
    for (const auto piece : pieces) scan.feed(piece);
    EXPECT_EQ(split.model_begin, whole.model_begin) << body;
    EXPECT_EQ(split.model_end, whole.model_end) << body;
  });
  return whole.model_end == 0 ? "nowhere" : body.substr(whole.model_begin, whole.model_end - whole.model_begin);
}

std::string place_in_json(const std::string& body) { return place_in<JsonScan>(body); }

TEST(ModelPlace, InJsonIsTheStringThatCounts) {
  EXPECT_EQ(place_in_json(R"({"model":"gpt-4o"})"), R"("gpt-4o")");
  EXPECT_EQ(place_in_json(R"( { "messages":[{"model":"inner"}], "model" : "outer" , "n":1})"), R"("outer")");
  EXPECT_EQ(place_in_json(R"({"model":"first","model":"last"})"), R"("last")");
  EXPECT_EQ(place_in_json(R"({"mod\u0065l":"g\u0070t\"4"})"), R"("g\u0070t\"4")");
  EXPECT_EQ(place_in_json(R"({"model":""})"), R"("")");
  const std::string large = "\"" + std::string(5'000, 'm') + "\"";
  EXPECT_EQ(place_in_json(R"({"model":)" + large + R"(,"stream":true})"), large);
}

TEST(ModelPlace, InJsonIsNowhereWithoutAString) {
  for (const char* body : {"", "{}", "[]", R"({"metadata":{"model":"inner"}})", R"({"model":null})", R"({"model":["x"]})", R"({"model":"cut)",
                           R"({"model":"a","model":{"b":1}})", R"({"model":"a","model":7})", R"(["model","x"])"}) {
    EXPECT_EQ(place_in_json(body), "nowhere") << body;
  }
}

std::string part(const std::string& disposition, const std::string& value) {
  return "--b\r\nContent-Disposition: form-data; name=" + disposition + "\r\n\r\n" + value + "\r\n";
}
std::string place_in_form(const std::string& body) { return place_in<MultipartScan>(body, "multipart/form-data; boundary=b"); }

TEST(ModelPlace, InAFormIsTheContentOfTheField) {
  const std::string file = part(R"("file"; filename="a.wav")", std::string(9'000, 'x') + "\r\n--a\r\n--bb\r\nmodel");
  const std::string model = part(R"("model")", "whisper-1");
  for (const std::string& body : {model, model + file, file + model, file + part("model", "other") + model, "preamble\r\n" + model}) {
    EXPECT_EQ(place_in_form(body + "--b--\r\n"), "whisper-1") << body;
  }
  EXPECT_EQ(place_in_form(part(R"("model")", "two\r\nlines\r\n--bx") + "--b--"), "two\r\nlines\r\n--bx");
  EXPECT_EQ(place_in_form(part(R"("model")", "") + model + "--b--"), "whisper-1");
  EXPECT_EQ(place_in_form(file + "--b--\r\n"), "nowhere");
  // Without even an empty line of content.
  EXPECT_EQ(place_in_form("--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n--b--\r\n"), "");
}

}  // namespace
}  // namespace proxyxai
