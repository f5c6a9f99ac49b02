#include "proxyxai/http/credentials.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

using beast_http::field;

TEST(Credential, IsFoundInEveryForm) {
  EXPECT_EQ(find_credential({{field::authorization, "Authorization", "Bearer sk-1"}}), "sk-1");
  EXPECT_EQ(find_credential({{field::authorization, "authorization", "bearer   sk-1"}}), "sk-1");
  EXPECT_EQ(find_credential({{field::authorization, "Authorization", "sk-1"}}), "sk-1");
  EXPECT_EQ(find_credential({{field::unknown, "API-Key", "sk-1"}}), "sk-1");
  EXPECT_EQ(find_credential({{field::unknown, "x-api-key", "sk-1"}}), "sk-1");
  EXPECT_EQ(find_credential({{field::sec_websocket_protocol, "Sec-WebSocket-Protocol",
                              "realtime, openai-insecure-api-key.sk-1, openai-beta.realtime-v1"}}),
            "sk-1");
}

TEST(Credential, AuthorizationComesFirst) {
  EXPECT_EQ(find_credential({{field::unknown, "x-api-key", "sk-2"}, {field::authorization, "Authorization", "Bearer sk-1"}}), "sk-1");
  EXPECT_EQ(find_credential({{field::authorization, "Authorization", "Bearer "}, {field::unknown, "x-api-key", "sk-2"}}), "sk-2");
}

TEST(Credential, IsEmptyWithoutOne) {
  EXPECT_EQ(find_credential({}), "");
  EXPECT_EQ(find_credential({{field::cookie, "Cookie", "sk-1"}, {field::unknown, "x-key", "sk-1"}}), "");
}

}  // namespace
}  // namespace proxyxai
