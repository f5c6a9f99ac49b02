#include "proxyxai/http/hygiene.hpp"

#include <gtest/gtest.h>

#include "http/parsed.hpp"

namespace proxyxai {
namespace {

std::string upstream(const std::string& lines, bool upgrade = false) {
  const ParsedRequest request("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n");
  std::string out;
  append_upstream_fields(out, request.fields, upgrade);
  return out;
}

std::string client(const std::string& lines, bool upgrade = false) {
  const ParsedResponse response("HTTP/1.1 200 OK\r\n" + lines + "\r\n");
  std::string out;
  append_client_fields(out, response.fields, upgrade);
  return out;
}

class PrivateRequestField : public testing::TestWithParam<const char*> {};

TEST_P(PrivateRequestField, DoesNotGoUpstream) { EXPECT_EQ(upstream(std::string(GetParam()) + ": 1\r\n"), ""); }

INSTANTIATE_TEST_SUITE_P(All, PrivateRequestField,
                         testing::Values("Authorization", "authorization", "Api-Key", "X-API-KEY", "Cookie", "OpenAI-Organization",
                                         "openai-project", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Anything",
                                         "Forwarded", "Via", "X-Real-IP", "Connection", "Keep-Alive", "Proxy-Connection",
                                         "Proxy-Authorization", "TE", "Trailer", "Upgrade", "Accept-Encoding", "Content-Length",
                                         "Expect", "Sec-WebSocket-Protocol", "X_Api_Key", "Content_Length", "x-own_name", "X-HTTP-Method-Override",
                                         "X-HTTP-Method", "X-Method-Override"));

class PrivateAnswerField : public testing::TestWithParam<const char*> {};

TEST_P(PrivateAnswerField, DoesNotGoToTheClient) { EXPECT_EQ(client(std::string(GetParam()) + ": x\r\n"), ""); }

INSTANTIATE_TEST_SUITE_P(All, PrivateAnswerField,
                         testing::Values("Set-Cookie", "OpenAI-Organization", "openai-project", "Alt-Svc", "Strict-Transport-Security",
                                         "x-ratelimit-remaining-tokens", "X-RateLimit-Limit-Requests", "Connection", "Keep-Alive",
                                         "Access-Control-Allow-Origin", "X-ProxyXAI-Attempts"));

TEST(Hygiene, EverythingElsePassesUntouched) {
  const std::string lines = "X-Stainless-Lang: python\r\nOpenAI-Beta: assistants=v2\r\nContent-Type: a/b; c=d\r\nUser-Agent: x\r\n";
  EXPECT_EQ(upstream(lines), lines);
  const std::string answer = "x-request-id: 1\r\nopenai-processing-ms: 2\r\nContent-Type: text/event-stream\r\nServer: s\r\n";
  EXPECT_EQ(client(answer), answer);
}

TEST(Hygiene, FieldsThatConnectionNamesAreDropped) {
  EXPECT_EQ(upstream("Connection: close, X-Hop\r\nX-Hop: 1\r\nX-Stay: 2\r\n"), "X-Stay: 2\r\n");
}

TEST(Hygiene, AKeyInASubprotocolNeverGoesUpstreamHoweverItIsWritten) {
  for (const char* item : {"\topenai-insecure-api-key.sk-1", "OpenAI-Insecure-API-Key.sk-1", "x.openai-insecure-api-key.sk-1", "\topenai-organization.o",
                           "OPENAI-PROJECT.p"}) {
    EXPECT_EQ(upstream(std::string("Sec-WebSocket-Protocol: ") + item + "\r\n", true), "Connection: Upgrade\r\nUpgrade: websocket\r\n") << item;
  }
}

TEST(Hygiene, AWebSocketKeepsItsFieldsAndLosesItsKey) {
  EXPECT_EQ(upstream("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Protocol: realtime, openai-insecure-api-key.sk-1, openai-organization.org, beta\r\n",
                     true),
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: realtime, beta\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
}

}  // namespace
}  // namespace proxyxai
