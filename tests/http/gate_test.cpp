#include "proxyxai/http/gate.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

std::string head(const std::string& lines, const std::string& start = "POST /v1/chat/completions HTTP/1.1", const std::string& host = "Host: a\r\n") {
  return start + "\r\n" + host + lines + "\r\n";
}

unsigned status_of(const std::string& text) {
  const auto refusal = check_request_head(text, GateLimits{});
  return refusal ? refusal->status : 0;
}

TEST(Gate, LetsGoodHeadsPass) {
  EXPECT_EQ(status_of(head("Content-Length: 5\r\n")), 0u);
  EXPECT_EQ(status_of(head("Transfer-Encoding: chunked\r\n")), 0u);
  EXPECT_EQ(status_of(head("Transfer-Encoding: Chunked\r\n")), 0u);
  EXPECT_EQ(status_of(head("X: \xc3\xa9\r\n")), 0u);
  EXPECT_EQ(status_of(head("X:\r\nExpect: 100-continue\r\n")), 0u);
  EXPECT_EQ(status_of(head("", "GET /v1/models?a=%20b HTTP/1.0")), 0u);
  EXPECT_EQ(status_of(head("", "GET / HTTP/1.1", "Host: example.com:3443\r\n")), 0u);
  EXPECT_EQ(status_of(head("", "GET / HTTP/1.1", "hOST: [::1]:80\r\n")), 0u);
}

struct BadHead {
  const char* name;
  std::string text;
};

class RefusedHead : public testing::TestWithParam<BadHead> {};

TEST_P(RefusedHead, IsRefused) {
  const unsigned status = status_of(GetParam().text);
  EXPECT_GE(status, 400u) << GetParam().name;
  EXPECT_LE(status, 505u) << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(
    Heads, RefusedHead,
    testing::Values(BadHead{"length and chunked", head("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")},
                    BadHead{"chunked and length", head("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")},
                    BadHead{"gzip", head("Transfer-Encoding: gzip\r\n")}, BadHead{"empty coding", head("Transfer-Encoding:\r\n")},
                    BadHead{"gzip, chunked", head("Transfer-Encoding: gzip, chunked\r\n")},
                    BadHead{"chunked, chunked", head("Transfer-Encoding: chunked, chunked\r\n")},
                    BadHead{"chunked,", head("Transfer-Encoding: chunked,\r\n")},
                    BadHead{"chunked on 1.0", head("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0")},
                    BadHead{"no host", head("", "GET / HTTP/1.1", "")}, BadHead{"two hosts", head("Host: a\r\n")},
                    BadHead{"no host on 1.0", head("", "GET / HTTP/1.0", "")},
                    BadHead{"bad host", head("", "GET / HTTP/1.1", "Host: a b\r\n")},
                    BadHead{"host list", head("", "GET / HTTP/1.1", "Host: a,b\r\n")},
                    BadHead{"lengths", head("Content-Length: 5\r\nContent-Length: 5\r\n")},
                    BadHead{"length list", head("Content-Length: 5,5\r\n")}, BadHead{"empty length", head("Content-Length:\r\n")},
                    BadHead{"plus", head("Content-Length: +5\r\n")}, BadHead{"overflow", head("Content-Length: 18446744073709551616\r\n")},
                    BadHead{"obs-fold", head("A: b\r\n c\r\n")}, BadHead{"tab fold", head("A: b\r\n\tc\r\n")},
                    BadHead{"bare LF", head("A: b\nC: d\r\n")}, BadHead{"bare CR", head("A: b\rC: d\r\n")},
                    BadHead{"NUL", head(std::string("A: b\0c\r\n", 8))}, BadHead{"space before colon", head("A : b\r\n")},
                    BadHead{"empty name", head(": b\r\n")}, BadHead{"no colon", head("Ab\r\n")},
                    BadHead{"high byte in a name", head("\xc3\xa9: b\r\n")}, BadHead{"control in a value", head("A: \x01\r\n")},
                    BadHead{"leading space", head(" A: b\r\n")}, BadHead{"absolute form", head("", "GET http://b/ HTTP/1.1")},
                    BadHead{"asterisk form", head("", "GET * HTTP/1.1")}, BadHead{"CONNECT", head("", "CONNECT b:1 HTTP/1.1")},
                    BadHead{"TRACE", head("", "TRACE / HTTP/1.1")}, BadHead{"method not in capitals", head("", "Post / HTTP/1.1")}, BadHead{"space in target", head("", "GET /a b HTTP/1.1")},
                    BadHead{"tab", head("", "GET\t/ HTTP/1.1")}, BadHead{"lower-case version", head("", "GET / http/1.1")},
                    BadHead{"HTTP/2", head("", "GET / HTTP/2.0")}, BadHead{"no version", head("", "GET /")},
                    BadHead{"fragment", head("", "GET /a#b HTTP/1.1")}, BadHead{"high byte in target", head("", "GET /\xc3\xa9 HTTP/1.1")},
                    BadHead{"long Connection", head("Connection: a" + std::string(1'000, ',') + "b\r\n")}, BadHead{"expectation", head("Expect: 200-ok\r\n")}));

TEST(Gate, BoundsTheHead) {
  EXPECT_EQ(status_of(head("A: " + std::string(70'000, 'x') + "\r\n")), 431u);
  std::string many;
  for (int i = 0; i < 300; ++i) many += "A: b\r\n";
  EXPECT_EQ(status_of(head(many)), 431u);
  EXPECT_TRUE(check_partial_head(std::string(70'000, 'x'), GateLimits{}).has_value());
  EXPECT_FALSE(check_partial_head("POST /v1/chat", GateLimits{}).has_value());
}

TEST(Spelling, OnlyOneIsTaken) {
  for (const char* good : {"/", "/v1/models", "/v1/models/ft:gpt-4o:a::b", "/v1/models/a%20b", "/x-users/a@b.c", "/v1/a..b"}) {
    EXPECT_TRUE(has_one_spelling(good)) << good;
  }
  for (const char* bad : {"", "v1", "//", "/v1//models", "/v1/./a", "/v1/../a", "/v1/..", "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/%2e%2e/a",
                          "/a%00", "/a%", "/a%z1", "/v1/%2e/a"}) {
    EXPECT_FALSE(has_one_spelling(bad)) << bad;
  }
}

}  // namespace
}  // namespace proxyxai
