#include <gtest/gtest.h>

#include "pieces.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

std::string number(std::uint32_t value, unsigned bytes) {
  std::string out;
  for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}

std::string format_chunk(std::uint32_t rate, std::uint32_t byte_rate, std::uint32_t block, const std::string& more = "") {
  return "fmt " + number(static_cast<std::uint32_t>(16 + more.size()), 4) + number(1, 2) + number(1, 2) + number(rate, 4) + number(byte_rate, 4) +
         number(block, 2) + number(16, 2) + more;
}

std::string wav(const std::string& chunks) { return "RIFF" + number(static_cast<std::uint32_t>(chunks.size() + 4), 4) + "WAVE" + chunks; }

std::string data_chunk(std::uint32_t claimed, std::size_t bytes) { return "data" + number(claimed, 4) + std::string(bytes, '\0'); }

std::string part(const std::string& head, const std::string& value) { return "--b\r\n" + head + "\r\n\r\n" + value + "\r\n"; }
std::string field(const std::string& name, const std::string& value) { return part("Content-Disposition: form-data; name=\"" + name + "\"", value); }
std::string file(const std::string& value) {
  return part("Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\nContent-Type: audio/wav", value);
}

RequestFacts facts_of(const std::string& parts) {
  const std::string body = parts + "--b--\r\n";
  RequestFacts whole;
  MultipartScan(whole, "multipart/form-data; boundary=b").feed(body);
  in_all_pieces(body, [&](const Pieces& pieces) {
    RequestFacts split;
    MultipartScan scan(split, "multipart/form-data; boundary=b");
    for (const auto piece : pieces) {
      const std::vector<char> copy(piece.begin(), piece.end());
      scan.feed({copy.data(), copy.size()});
    }
    EXPECT_EQ(split.model, whole.model);
    EXPECT_EQ(split.file_bytes, whole.file_bytes);
    EXPECT_EQ(split.audio_ms, whole.audio_ms);
    EXPECT_EQ(split.text_bytes, whole.text_bytes);
    EXPECT_EQ(split.n, whole.n);
    EXPECT_EQ(split.size + split.quality + split.response_format, whole.size + whole.quality + whole.response_format);
  });
  return whole;
}

TEST(FormFacts, AreFoundInAnyPosition) {
  const auto facts = facts_of(field("n", "3") + field("size", "512x512") + file("0123456789") + field("model", "dall-e-2") + field("quality", "hd") +
                              field("response_format", "verbose_json") + field("prompt", "twelve bytes") + field("stream", "true"));
  EXPECT_EQ(facts.model, "dall-e-2");
  EXPECT_TRUE(facts.stream);
  EXPECT_EQ(facts.n, 3);
  EXPECT_EQ(facts.size, "512x512");
  EXPECT_EQ(facts.quality, "hd");
  EXPECT_EQ(facts.response_format, "verbose_json");
  EXPECT_EQ(facts.file_bytes, 10);
  EXPECT_EQ(facts.text_bytes, 12);
  EXPECT_EQ(facts.audio_ms, 0);
}

TEST(FormFacts, OutOfRangeCountAsUsual) {
  for (const char* n : {"0", "1001", "-2", "x", "", "9999999999999999999999"}) EXPECT_EQ(facts_of(field("n", n)).n, 1) << n;
  EXPECT_EQ(facts_of(field("n", "1000")).n, 1000);
  EXPECT_EQ(facts_of(field("size", std::string(100, 's'))).size.size(), 32u);
}

TEST(FormFacts, CountFilesWithoutAName) {
  EXPECT_EQ(facts_of(field("image[]", "abc") + field("mask", "de") + file("\r\n--x\r\n")).file_bytes, 3 + 2 + 7);
  EXPECT_EQ(facts_of(file("")).file_bytes, 0);
}

TEST(FormFacts, TellHowLongAWavFileIs) {
  const auto length = [](const std::string& content) { return facts_of(file(content)).audio_ms; };
  const std::string format = format_chunk(8'000, 16'000, 2);
  EXPECT_EQ(length(wav(format + data_chunk(800, 800))), 50);
  EXPECT_EQ(length(wav("LIST" + number(3, 4) + "abc\0" + format_chunk(8'000, 16'000, 2, "xxxx") + data_chunk(800, 800))), 0) << "an odd chunk without its padding";
  EXPECT_EQ(length(wav("LIST" + number(3, 4) + std::string("abc\0", 4) + format_chunk(8'000, 16'000, 2, "xxxx") + data_chunk(800, 800))), 50);
  EXPECT_EQ(length(wav(format + data_chunk(800, 800) + "LIST" + number(4, 4) + "abcd")), 50);
  // Written as a stream: the size was not known.
  EXPECT_EQ(length(wav(format + data_chunk(0xffffffff, 1'600))), 100);
  EXPECT_EQ(length(wav(format + data_chunk(0, 1'600))), 100);
}

TEST(FormFacts, BelieveNoByteRateThatMakesAFileShort) {
  EXPECT_EQ(facts_of(file(wav(format_chunk(8'000, 16'000'000, 2) + data_chunk(800, 800)))).audio_ms, 50);
  EXPECT_EQ(facts_of(file(wav(format_chunk(8'000, 0, 2) + data_chunk(800, 800)))).audio_ms, 50);
  // Compressed: a block is many samples.
  EXPECT_EQ(facts_of(file(wav(format_chunk(8'000, 4'000, 256) + data_chunk(800, 800)))).audio_ms, 200);
}

TEST(FormFacts, TellNoLengthOfOtherFiles) {
  const std::string format = format_chunk(8'000, 16'000, 2);
  for (const std::string& content : {std::string("ID3 music"), std::string("RIFF"), "RIFF" + number(9, 4) + "AVI " + format + data_chunk(8, 8), wav(format),
                                     wav(data_chunk(800, 800)), wav(format_chunk(0, 0, 0) + data_chunk(800, 800)), wav("fmt " + number(4, 4) + "abcd" + data_chunk(8, 8))}) {
    EXPECT_EQ(facts_of(file(content)).audio_ms, 0);
  }
}

TEST(FormFacts, TellTheLengthOfTheFirstFileOnly) {
  const std::string format = format_chunk(8'000, 16'000, 2);
  EXPECT_EQ(facts_of(file("no wav") + file(wav(format + data_chunk(800, 800)))).audio_ms, 0);
  EXPECT_EQ(facts_of(file(wav(format + data_chunk(800, 800))) + file(wav(format + data_chunk(1'600, 1'600)))).audio_ms, 50);
}

}  // namespace
}  // namespace proxyxai
