#include <gtest/gtest.h>

#include "http/parsed.hpp"

namespace proxyxai {
namespace {

using namespace std::string_literals;

TEST(Parser, FieldsAreViewsOfTheHead) {
  const ParsedRequest request("POST /v1/x?y HTTP/1.1\r\nHost: a\r\nX-Own:  value \r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(request.parser.method(), "POST");
  EXPECT_EQ(request.parser.target(), "/v1/x?y");
  EXPECT_EQ(request.parser.version(), 11);
  EXPECT_EQ(find(request.fields, "x-own"), "value");
  EXPECT_EQ(find(request.fields, beast_http::field::host), "a");
  EXPECT_EQ(find(request.fields, "absent"), "");
  const char* const place = find(request.fields, "x-own").data();
  EXPECT_GE(place, request.head.data());
  EXPECT_LT(place, request.head.data() + request.head.size());
}

/// Chunks of every size, read in pieces of every size, give the same body.
TEST(Parser, ChunkedBodiesAreDecodedHoweverTheyArrive) {
  std::string body;
  for (int i = 0; i < 400; ++i) body += std::to_string(i) + ',';
  for (const std::size_t chunk : {1u, 7u, 100u, 5'000u}) {
    std::string wire;
    for (std::size_t at = 0; at < body.size(); at += chunk) {
      const auto part = body.substr(at, chunk);
      char size[20];
      std::snprintf(size, sizeof size, "%zx", part.size());
      wire += std::string(size) + ";ext=\"v\"\r\n" + part + "\r\n";
    }
    wire += "0\r\nTrailer: dropped\r\n\r\nNEXT";
    for (const std::size_t read : {1u, 3u, 64u, 100'000u}) {
      ParsedResponse response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      std::string decoded, held;
      std::size_t at = 0;
      while (!response.parser.is_done()) {
        ASSERT_LT(at, wire.size());
        held += wire.substr(at, read);
        at += read;
        const auto fed = response.parser.feed_body(held.data(), held.size());
        ASSERT_FALSE(fed.failed);
        decoded += fed.body;
        held.erase(0, fed.consumed);
      }
      EXPECT_EQ(decoded, body) << chunk << " " << read;
      EXPECT_TRUE(response.fields.size() == 1) << "a trailer became a field";
    }
  }
}

TEST(Parser, AnEmptyChunkedBodyMayComeInPieces) {
  for (const std::string wire : {"0\r\n\r\n", "000\r\n\r\n", "0;a=b\r\nTrailer: dropped\r\n\r\n"}) {
    for (std::size_t first = 0; first < wire.size(); ++first) {
      ParsedRequest request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
      std::string held;
      for (std::size_t at = 0; at < wire.size(); ++at) {
        held += wire[at];
        if (at < first) continue;
        const auto fed = request.parser.feed_body(held.data(), held.size());
        ASSERT_FALSE(fed.failed);
        held.erase(0, fed.consumed);
      }
      EXPECT_TRUE(request.parser.is_done()) << wire << " from " << first;
      EXPECT_EQ(held, "");
    }
  }
}

TEST(Parser, BrokenChunksFail) {
  for (const char* wire : {"x\r\n", "5\r\nhelloX\r\n", "-1\r\n", "5 \r\nhello\r\n0\r\n\r\n"}) {
    ParsedResponse response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string bytes = wire;
    const auto fed = response.parser.feed_body(bytes.data(), bytes.size());
    EXPECT_TRUE(fed.failed || !response.parser.is_done()) << wire;
  }
}

TEST(Parser, AChunkLineThatIsTooLongFailsInOneReadToo) {
  for (const std::size_t size : {8'000u, 9'000u}) {
    ParsedRequest request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string bytes = "1;" + std::string(size, 'e') + "\r\nx\r\n0\r\n\r\n";
    const auto fed = request.parser.feed_body(bytes.data(), bytes.size());
    EXPECT_EQ(fed.failed, size > 8'192) << size;
    EXPECT_EQ(request.parser.is_done(), size < 8'192) << size;
  }
}

TEST(Parser, ChunksAreReadStrictly) {
  const std::string chunk = "1\r\nx\r\n";
  for (const std::string& wire : {"1;a=\"\n\"\r\nx\r\n0\r\n\r\n"s, "1;a=\"\0\"\r\nx\r\n0\r\n\r\n"s, chunk + "0\r\nX: a\r\n b\r\n\r\n",
                                  std::string(9'000, '0') + chunk + "0\r\n\r\n", chunk + "0\r\nX: " + std::string(9'000, 'v') + "\r\n\r\n"}) {
    ParsedRequest request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string bytes = wire;
    EXPECT_TRUE(request.parser.feed_body(bytes.data(), bytes.size()).failed) << wire.substr(0, 40);
  }
  ParsedRequest request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  std::string bytes = chunk + "01;a=\"b\tc\"\r\ny\r\n0\r\nX: a b\r\nY:\r\n\r\n";
  EXPECT_EQ(request.parser.feed_body(bytes.data(), bytes.size()).body, "xy");
  EXPECT_TRUE(request.parser.is_done());
}

TEST(WebSocket, IsAskedForByAGetThatConnectionNamesItIn) {
  const auto asks = [](const std::string& first, const std::string& lines) {
    return asks_for_websocket(ParsedRequest(first + "\r\nHost: a\r\n" + lines + "\r\n").parser);
  };
  EXPECT_TRUE(asks("GET / HTTP/1.1", "Connection: keep-alive, UPGRADE\r\nupgrade: WebSocket\r\n"));
  EXPECT_FALSE(asks("GET / HTTP/1.1", "Upgrade: websocket\r\n"));
  EXPECT_FALSE(asks("GET / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n"));
  EXPECT_FALSE(asks("GET / HTTP/1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  EXPECT_FALSE(asks("POST / HTTP/1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n"));
}

TEST(Tokens, AreFoundInLists) {
  EXPECT_TRUE(has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(has_token("close", "close"));
  EXPECT_FALSE(has_token("closed, x-close", "close"));
}

}  // namespace
}  // namespace proxyxai
