#include "proxyxai/proxy/websocket_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace proxyxai {
namespace {

enum Opcode : unsigned { continuation = 0, text = 1, binary = 2, ping = 9 };

std::string frame(unsigned opcode, const std::string& payload, bool is_final = true) {
  std::string out(1, static_cast<char>((is_final ? 0x80 : 0) | opcode));
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(payload.size()));
  } else if (payload.size() < 65'536) {
    out.push_back(126);
    out.push_back(static_cast<char>(payload.size() >> 8));
    out.push_back(static_cast<char>(payload.size()));
  } else {
    out.push_back(127);
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(payload.size() >> shift));
  }
  return out + payload;
}

std::vector<std::string> read(const std::string& bytes, std::size_t piece) {
  std::vector<std::string> messages;
  WebSocketReader reader([&](std::string_view message) { messages.emplace_back(message); });
  for (std::size_t at = 0; at < bytes.size(); at += piece) reader.feed(std::string_view(bytes).substr(at, piece));
  return messages;
}

TEST(WebSocketReader, FindsTextMessagesOfEveryLengthInAnyPieces) {
  const std::string medium(300, 'm'), large(70'000, 'l');
  const std::string bytes = frame(text, "") + frame(text, "short") + frame(text, medium) + frame(text, large) + frame(text, "end");
  const std::vector<std::string> expected{"", "short", medium, large, "end"};
  for (const std::size_t piece : {1u, 2u, 3u, 7u, 125u, 4'096u, 1'000'000u}) EXPECT_EQ(read(bytes, piece), expected) << piece;
}

TEST(WebSocketReader, JoinsFragmentsAroundControlFrames) {
  const std::string bytes = frame(text, "one ", false) + frame(ping, "are you there") + frame(continuation, "two ", false) +
                            frame(continuation, "three") + frame(text, "next");
  EXPECT_EQ(read(bytes, 1), (std::vector<std::string>{"one two three", "next"}));
}

TEST(WebSocketReader, PassesOverBinaryAndTooLongMessages) {
  const std::string much(WebSocketReader::most_message + 1, 'x');
  const std::string bytes = frame(binary, "bytes") + frame(text, much) + frame(text, "small");
  EXPECT_EQ(read(bytes, 65'536), (std::vector<std::string>{"small"}));
}

TEST(WebSocketReader, ReadsNothingBehindABrokenFrame) {
  std::string compressed = frame(text, "compressed");
  compressed[0] = static_cast<char>(0xc1);
  EXPECT_TRUE(read(compressed + frame(text, "behind"), 4'096).size() <= 1);
  std::string masked = frame(text, "mask");
  masked[1] = static_cast<char>(masked[1] | 0x80);
  EXPECT_TRUE(read(masked + frame(text, "behind"), 4'096).empty());
}

}  // namespace
}  // namespace proxyxai
