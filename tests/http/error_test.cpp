#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "proxyxai/http/cors.hpp"
#include "proxyxai/http/handler.hpp"
#include "proxyxai/http/query.hpp"

namespace proxyxai {
namespace {

TEST(Error, HasTheUpstreamsShapeAndVocabulary) {
  const auto body = nlohmann::json::parse(error_body({401, "invalid_api_key", "no", {}, true}));
  EXPECT_EQ(body["error"]["type"], "authentication_error");
  EXPECT_EQ(body["error"]["code"], "invalid_api_key");
  EXPECT_TRUE(body["error"]["param"].is_null());
  EXPECT_EQ(error_type({429, "insufficient_quota", "", {}, true}), "insufficient_quota");
  EXPECT_EQ(error_type({429, "rate_limit_exceeded", "", {}, false}), "rate_limit_error");
  EXPECT_EQ(error_type({403, "x", "", {}, false}), "permission_error");
  EXPECT_EQ(error_type({503, "x", "", {}, false}), "server_error");
  EXPECT_EQ(error_type({400, "x", "", {}, false}), "invalid_request_error");
}

TEST(Error, HostileTextStaysJson) {
  const auto body = nlohmann::json::parse(error_body({400, "x", "a\"b\\\xff\x01", "p\"", true}), nullptr, false);
  EXPECT_FALSE(body.is_discarded());
}

TEST(Error, TellsWhetherAndWhenToComeBack) {
  const auto final = to_response({403, "x", "", {}, true});
  EXPECT_EQ(final.headers.at(0), (std::pair<std::string, std::string>("x-should-retry", "false")));
  const auto later = to_response({429, "x", "", {}, false, milliseconds(1'200)});
  EXPECT_EQ(later.headers.at(0), (std::pair<std::string, std::string>("retry-after", "2")));
  EXPECT_EQ(later.headers.at(1), (std::pair<std::string, std::string>("retry-after-ms", "1200")));
}

Fields from(const char* origin) { return {{beast_http::field::origin, "Origin", origin}}; }

TEST(CorsHeaders, AreThereOnlyForBrowsersAndOnlyOnce) {
  std::string out;
  Cors({"*"}).append(out, {});
  EXPECT_EQ(out, "");
  Cors({"*"}).append(out, from("https://a.example"));
  EXPECT_EQ(out.find("Access-Control-Allow-Origin: *\r\n"), 0u);
  EXPECT_EQ(out.find("Access-Control-Allow-Origin", 5), out.npos);
}

TEST(CorsHeaders, NameAnAllowedOriginAndNoOther) {
  const Cors cors({"https://a.example"});
  std::string good, bad;
  cors.append(good, from("https://a.example"));
  cors.append(bad, from("https://b.example"));
  EXPECT_NE(good.find("Access-Control-Allow-Origin: https://a.example\r\n"), good.npos);
  EXPECT_EQ(bad, "Vary: Origin\r\n");
}

TEST(Query, IsDecoded) {
  const auto parameters = parse_query("a=1&b=x%20y+z&c&=d&e=%zz&f=%2");
  ASSERT_EQ(parameters.size(), 6u);
  EXPECT_EQ(parameters[1].second, "x y z");
  EXPECT_EQ(parameters[2].first, "c");
  EXPECT_EQ(parameters[4].second, "%zz");
  EXPECT_EQ(parameters[5].second, "%2");
}

}  // namespace
}  // namespace proxyxai
