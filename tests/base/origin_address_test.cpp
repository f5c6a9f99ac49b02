#include "proxyxai/base/origin_address.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

struct OriginCase {
  const char* text;
  bool tls;
  const char* host;
  const char* port;
  const char* prefix;
  const char* authority;
  const char* url;
};

class Origin : public testing::TestWithParam<OriginCase> {};

TEST_P(Origin, IsTakenApart) {
  const OriginCase& wanted = GetParam();
  const auto address = parse_origin(wanted.text);
  ASSERT_TRUE(address.has_value()) << wanted.text;
  EXPECT_EQ(address->tls, wanted.tls);
  EXPECT_EQ(address->host, wanted.host);
  EXPECT_EQ(address->port, wanted.port);
  EXPECT_EQ(address->prefix, wanted.prefix);
  EXPECT_EQ(address->authority, wanted.authority);
  EXPECT_EQ(to_url(*address), wanted.url);
  // The canonical URL means the same.
  const auto again = parse_origin(to_url(*address));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(to_url(*again), wanted.url);
}

INSTANTIATE_TEST_SUITE_P(
    Urls, Origin,
    testing::Values(
        OriginCase{"api.openai.com", true, "api.openai.com", "443", "", "api.openai.com", "https://api.openai.com"},
        OriginCase{"https://api.openai.com/v1", true, "api.openai.com", "443", "", "api.openai.com", "https://api.openai.com"},
        OriginCase{"https://api.openai.com/v1/", true, "api.openai.com", "443", "", "api.openai.com", "https://api.openai.com"},
        OriginCase{"HTTPS://h", true, "h", "443", "", "h", "https://h"},
        OriginCase{"http://h", false, "h", "80", "", "h", "http://h"},
        OriginCase{"http://h:80/", false, "h", "80", "", "h", "http://h"},
        OriginCase{"http://h:443", false, "h", "443", "", "h:443", "http://h:443"},
        OriginCase{"https://h:443", true, "h", "443", "", "h", "https://h"},
        OriginCase{"h:8443", true, "h", "8443", "", "h:8443", "https://h:8443"},
        OriginCase{"h:65535", true, "h", "65535", "", "h:65535", "https://h:65535"},
        OriginCase{"127.0.0.1:9", true, "127.0.0.1", "9", "", "127.0.0.1:9", "https://127.0.0.1:9"},
        OriginCase{"https://[::1]", true, "::1", "443", "", "[::1]", "https://[::1]"},
        OriginCase{"http://[::1]:8080/a", false, "::1", "8080", "/a", "[::1]:8080", "http://[::1]:8080/a"},
        OriginCase{"https://h/openai/v1", true, "h", "443", "/openai", "h", "https://h/openai"},
        OriginCase{"https://h/a/b//", true, "h", "443", "/a/b", "h", "https://h/a/b"},
        OriginCase{"https://h/v10", true, "h", "443", "/v10", "h", "https://h/v10"},
        OriginCase{"https://h/.well/a..b", true, "h", "443", "/.well/a..b", "h", "https://h/.well/a..b"}));

class NoOrigin : public testing::TestWithParam<const char*> {};

TEST_P(NoOrigin, IsRefused) { EXPECT_FALSE(parse_origin(GetParam()).has_value()) << GetParam(); }

INSTANTIATE_TEST_SUITE_P(Urls, NoOrigin,
                         testing::Values("", "https://", "http:///v1", "ftp://h", "://h", "file:///etc/passwd", "https://u@h",
                                         "https://u:p@h", "https://h?a=b", "https://h#f", "https://h/%2e%2e", "https://h/../a",
                                         "https://h/./a", "https://h//a", "h a", "h\r\nX: y", "h\\a", "h:", "h:0", "h:65536", "h:-1",
                                         "h:+1", "h:80a", "h:1:2", "https://[::1", "https://[]", "https://[::1]x", "https://h\xc3\xa9",
                                         "https://h,i", "h\t"));

TEST(OriginLength, IsBounded) {
  EXPECT_TRUE(parse_origin(std::string(253, 'h')).has_value());
  EXPECT_FALSE(parse_origin(std::string(254, 'h')).has_value());
  for (const char c : {'\0', '\x01', '\x7f', '\xff'}) EXPECT_FALSE(parse_origin(std::string("https://h/a") + c).has_value());
  EXPECT_FALSE(parse_origin("h:" + std::string(1000, '0')).has_value());
}

}  // namespace
}  // namespace proxyxai
