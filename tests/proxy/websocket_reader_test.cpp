#include "proxyxai/proxy/websocket_reader.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
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

/// The messages that were told to their ends; the rest of one that was not, in brackets.
std::vector<std::string> read(const std::string& bytes, std::size_t piece) {
  std::vector<std::string> messages;
  std::string open;
  WebSocketReader reader(WebSocketReader::Sender::server, [&](std::string_view told, bool is_last) {
    EXPECT_TRUE(is_last || !told.empty());
    EXPECT_LE(told.size(), piece);
    open += told;
    if (is_last) messages.push_back(std::exchange(open, {}));
  });
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    // A copy of its own size, so that a read beyond the piece is found out.
    const std::string copy = bytes.substr(at, piece);
    reader.feed(copy);
  }
  if (!open.empty()) messages.push_back("[" + open + "]");
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

TEST(WebSocketReader, EndsAMessageWithAnEmptyFragment) {
  const std::string bytes = frame(text, "one", false) + frame(continuation, "", false) + frame(continuation, "") + frame(text, "", false) +
                            frame(ping, "") + frame(continuation, "two") + frame(continuation, "stray");
  for (const std::size_t piece : {1u, 2u, 5u, 4'096u}) EXPECT_EQ(read(bytes, piece), (std::vector<std::string>{"one", "two"})) << piece;
}

TEST(WebSocketReader, TellsMessagesOfAnySizeAsTheyCome) {
  const std::string much(3 << 20, 'x');
  EXPECT_EQ(read(frame(text, much) + frame(text, "small"), 16'384), (std::vector<std::string>{much, "small"}));
  EXPECT_EQ(read(frame(text, much).substr(0, 100), 16'384), (std::vector<std::string>{"[" + std::string(90, 'x') + "]"}));
}

TEST(WebSocketReader, PassesOverBinaryMessages) {
  const std::string bytes = frame(binary, "bytes") + frame(binary, "more", false) + frame(continuation, "bytes") + frame(text, "text");
  EXPECT_EQ(read(bytes, 3), (std::vector<std::string>{"text"}));
}

TEST(WebSocketReader, EndsAMessageWhereAnotherBegins) {
  EXPECT_EQ(read(frame(text, "cut", false) + frame(text, "whole"), 4'096), (std::vector<std::string>{"cut", "whole"}));
  EXPECT_EQ(read(frame(text, "cut", false) + frame(binary, "bytes") + frame(text, "whole"), 4'096), (std::vector<std::string>{"cut", "whole"}));
}

TEST(WebSocketReader, ReadsNothingBehindABrokenFrame) {
  std::string compressed = frame(text, "compressed");
  compressed[0] = static_cast<char>(0xc1);
  EXPECT_TRUE(read(compressed + frame(text, "behind"), 4'096).empty());
  std::string masked = frame(text, "mask");
  masked[1] = static_cast<char>(masked[1] | 0x80);
  EXPECT_TRUE(read(masked + frame(text, "behind"), 4'096).empty());
}

std::string masked(std::string frame_of_server, std::size_t payload) {
  static constexpr std::string_view mask("\x11\xfe\x00\x7a", 4);
  frame_of_server[1] = static_cast<char>(frame_of_server[1] | 0x80);
  const std::size_t head = frame_of_server.size() - payload;
  for (std::size_t i = 0; i < payload; ++i) frame_of_server[head + i] = static_cast<char>(frame_of_server[head + i] ^ mask[i % 4]);
  return frame_of_server.insert(head, mask);
}

TEST(WebSocketReader, UnmasksWhatAClientSaysTextOrNot) {
  const std::string bytes = masked(frame(text, "hello"), 5) + masked(frame(binary, "there", false), 5) + masked(frame(continuation, std::string(300, 'x')), 300);
  for (const std::size_t piece : {1u, 3u, 4'096u}) {
    std::vector<std::string> messages;
    std::string open;
    WebSocketReader reader(WebSocketReader::Sender::client, [&](std::string_view told, bool is_last) {
      open += told;
      if (is_last) messages.push_back(std::exchange(open, {}));
    });
    for (std::size_t at = 0; at < bytes.size(); at += piece) reader.feed(bytes.substr(at, piece));
    EXPECT_EQ(messages, (std::vector<std::string>{"hello", "there" + std::string(300, 'x')})) << piece;
    EXPECT_FALSE(reader.is_broken());
    reader.feed(frame(text, "bare"));
    EXPECT_TRUE(reader.is_broken()) << "a client masks";
  }
}

}  // namespace
}  // namespace proxyxai
