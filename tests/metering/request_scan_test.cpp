#include "proxyxai/metering/request_scan.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

/// Feeds `body` whole, byte by byte, and split once at every place: the facts must not depend on how it arrives.
template <class Scan, class... Arguments>
RequestFacts facts_of(const std::string& body, Arguments... arguments) {
  RequestFacts whole;
  Scan(whole, arguments...).feed(body);
  RequestFacts bytes;
  Scan by_bytes(bytes, arguments...);
  for (const char& c : body) by_bytes.feed({&c, 1});
  EXPECT_EQ(bytes.model, whole.model) << body;
  EXPECT_EQ(bytes.stream, whole.stream) << body;
  for (std::size_t at = 0; at <= body.size() && body.size() < 2'000; ++at) {
    RequestFacts split;
    Scan scan(split, arguments...);
    scan.feed(std::string_view(body).substr(0, at));
    scan.feed(std::string_view(body).substr(at));
    EXPECT_EQ(split.model, whole.model) << body << " split at " << at;
    EXPECT_EQ(split.stream, whole.stream) << body << " split at " << at;
  }
  return whole;
}

struct JsonCase {
  const char* body;
  const char* model;
  bool stream;
};

class JsonBody : public testing::TestWithParam<JsonCase> {};

TEST_P(JsonBody, GivesModelAndStream) {
  const auto facts = facts_of<JsonScan>(GetParam().body);
  EXPECT_EQ(facts.model, GetParam().model);
  EXPECT_EQ(facts.stream, GetParam().stream);
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, JsonBody,
    testing::Values(JsonCase{R"({"model":"gpt-4o","stream":true})", "gpt-4o", true},
                    JsonCase{R"({ "stream" : false , "model" : "gpt-4o" })", "gpt-4o", false},
                    JsonCase{R"({"messages":[{"model":"inner","stream":true}],"model":"outer"})", "outer", false},
                    JsonCase{R"({"metadata":{"model":"inner"},"stream":true})", "", true},
                    JsonCase{R"({"a":"\"model\":\"no\"","model":"yes"})", "yes", false},
                    JsonCase{R"({"a":"\\","model":"yes"})", "yes", false},
                    JsonCase{R"({"model":"first","model":"last"})", "last", false},
                    JsonCase{R"({"stream":true,"stream":false})", "", false},
                    JsonCase{R"({"mod\u0065l":"escaped"})", "escaped", false},
                    JsonCase{R"({"model":"g\u0070t\/4"})", "gpt/4", false},
                    JsonCase{R"({"model":null})", "", false}, JsonCase{R"({"model":["x"]})", "", false},
                    JsonCase{R"({"model":"a","model":{"b":1}})", "", false},
                    JsonCase{R"({"stream":null,"model":"m"})", "m", false},
                    JsonCase{R"(["model","x"])", "", false}, JsonCase{R"("model")", "", false}, JsonCase{"", "", false},
                    JsonCase{R"({"model":"cut)", "", false}, JsonCase{R"(}}}}{"model":"m"})", "m", false},
                    JsonCase{R"({"n":[1,2,{"a":[]}],"stream_options":{"stream":true},"model":"m"})", "m", false}));

TEST(JsonScan, BoundsTheModel) {
  const auto facts = facts_of<JsonScan>(R"({"model":")" + std::string(5'000, 'm') + R"("})");
  EXPECT_EQ(facts.model.size(), max_model);
}

std::string form(const std::string& boundary, const std::vector<std::pair<std::string, std::string>>& parts) {
  std::string body;
  for (const auto& [head, value] : parts) body += "--" + boundary + "\r\n" + head + "\r\n\r\n" + value + "\r\n";
  return body + "--" + boundary + "--\r\n";
}

TEST(MultipartScan, FindsTheModelBehindAFile) {
  const auto body = form("X9", {{"Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"", "RIFF\r\n--X8\r\nmodel"},
                                {"Content-Disposition: form-data; name=\"model\"", "whisper-1"},
                                {"content-disposition: form-data; name=stream", "true"}});
  const auto facts = facts_of<MultipartScan>(body, std::string("multipart/form-data; boundary=X9"));
  EXPECT_EQ(facts.model, "whisper-1");
  EXPECT_TRUE(facts.stream);
}

TEST(MultipartScan, TakesNoModelFromAFile) {
  const auto body = form("b", {{"Content-Disposition: form-data; name=\"model\"; filename=\"x\"", "evil"}});
  EXPECT_EQ(facts_of<MultipartScan>(body, std::string("multipart/form-data; boundary=b")).model, "");
}

TEST(MultipartScan, ReadsQuotedBoundariesAndEmptyValues) {
  const auto body = form("a b", {{"Content-Disposition: form-data; name=\"model\"", ""},
                                 {"Content-Disposition: form-data; name=\"prompt\"", "--a b is not a delimiter"}});
  EXPECT_EQ(facts_of<MultipartScan>(body, std::string("multipart/form-data; charset=x; boundary=\"a b\"")).model, "");
}

TEST(MultipartScan, TheLastModelWinsAndItsLengthIsBounded) {
  const auto body = form("b", {{"Content-Disposition: form-data; name=\"model\"", "first"},
                               {"Content-Disposition: form-data; name=\"model\"", std::string(1'000, 'm')}});
  EXPECT_EQ(facts_of<MultipartScan>(body, std::string("multipart/form-data; boundary=b")).model, std::string(max_model, 'm'));
}

TEST(MultipartScan, SurvivesALargeFileInPieces) {
  RequestFacts facts;
  MultipartScan scan(facts, "multipart/form-data; boundary=zz");
  scan.feed("--zz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n");
  const std::string piece(16'384, '\r');
  for (int i = 0; i < 1'000; ++i) scan.feed(piece);
  scan.feed("\r\n--zz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm-1\r\n--zz--");
  EXPECT_EQ(facts.model, "m-1");
}

TEST(MultipartScan, WithoutABoundaryFindsNothing) {
  EXPECT_EQ(facts_of<MultipartScan>(std::string("--x\r\n\r\n"), std::string("multipart/form-data")).model, "");
}

TEST(MediaType, IsComparedWithoutParametersAndCase) {
  EXPECT_TRUE(has_media_type("Application/JSON; charset=utf-8", "application/json"));
  EXPECT_TRUE(has_media_type("application/json", "application/json"));
  EXPECT_FALSE(has_media_type("application/jsonl", "application/json"));
  EXPECT_FALSE(has_media_type("", "application/json"));
}

}  // namespace
}  // namespace proxyxai
