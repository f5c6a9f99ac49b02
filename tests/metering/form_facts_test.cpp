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

RequestFacts facts_of_body(const std::string& body) {
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
    EXPECT_EQ(split.files, whole.files);
    EXPECT_EQ(split.form_is_whole, whole.form_is_whole);
    EXPECT_EQ(split.file_bytes, whole.file_bytes);
    EXPECT_EQ(split.audio_ms, whole.audio_ms);
    EXPECT_EQ(split.text_bytes, whole.text_bytes);
    EXPECT_EQ(split.n, whole.n);
    EXPECT_EQ(split.size + split.quality + split.response_format, whole.size + whole.quality + whole.response_format);
  });
  return whole;
}

RequestFacts facts_of(const std::string& parts) { return facts_of_body(parts + "--b--\r\n"); }

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
  EXPECT_EQ(facts.files, 1);
  EXPECT_TRUE(facts.form_is_whole);
}

struct FormBody {
  const char* name;
  std::string body;
  bool is_whole;
  const char* model = "m";
};
void PrintTo(const FormBody& each, std::ostream* out) { *out << each.name; }
class FormBodies : public testing::TestWithParam<FormBody> {};

TEST_P(FormBodies, AreWholeWhenEveryParserFindsTheSameParts) {
  const auto facts = facts_of_body(GetParam().body);
  EXPECT_EQ(facts.form_is_whole, GetParam().is_whole);
  EXPECT_EQ(facts.model, GetParam().model);
}

const std::string in_file = "Content-Disposition: form-data; name=\"file\"; filename=\"a\"";
const std::string model_head = "Content-Disposition: form-data; name=\"model\"";
INSTANTIATE_TEST_SUITE_P(
    Bodies, FormBodies,
    testing::Values(
        FormBody{"Whole", field("model", "m") + "--b--\r\n", true}, FormBody{"WithoutALastLineEnd", field("model", "m") + "--b--", true},
        FormBody{"WithAnEpilogue", field("model", "m") + "--b--\r\n" + field("model", "n") + "--b--\r\n", true},
        FormBody{"WithAPreamble", "preamble\r\n" + field("model", "m") + "--b--\r\n", true}, FormBody{"WithoutAnEnd", field("model", "m"), false, ""},
        FormBody{"Cut", field("model", "m") + "--b", false, ""}, FormBody{"CutInItsEnd", field("model", "m") + "--b-", false, ""},
        FormBody{"WithoutAPart", "--b--\r\n", false, ""}, FormBody{"Empty", "", false, ""},
        FormBody{"WithADoubtfulEnd", part(in_file, "x\r\n--b--x\r\n--b--\ry") + field("model", "m") + "--b--\r\n", false},
        FormBody{"WithADoubtfulEndInAField", part(model_head, "m\r\n--b--x") + "--b--\r\n", false, "m\r\n--b--x"},
        FormBody{"WithADoubtfulDelimiter", part(in_file, "\r\n--bx\r\n--b-x\r\n--b\n") + field("model", "m") + "--b--\r\n", false},
        FormBody{"WithADoubtfulDelimiterAtItsStart", "--bx\r\n" + field("model", "m") + "--b--\r\n", false},
        FormBody{"WithBlanksBehindABoundary", "--b \t\r\n" + model_head + "\r\n\r\nm\r\n--b--\r\n", false},
        FormBody{"WithBlanksBehindABoundaryInContent", part(in_file, "x\r\n--b \r\ny\r\n--b x") + field("model", "m") + "--b--\r\n", false},
        FormBody{"WithBlanksBehindTheLast", field("model", "m") + "--b-- \r\n", false},
        FormBody{"WithoutContent", "--b\r\n" + in_file + "\r\n\r\n--b\r\n" + model_head + "\r\n\r\nm\r\n--b--\r\n", false},
        FormBody{"WithTwoDispositions", part(model_head + "\r\nContent-Disposition: form-data; name=\"x\"", "m") + "--b--\r\n", false, ""},
        FormBody{"WithoutADisposition", part("Content-Type: text/plain", "m") + field("model", "m") + "--b--\r\n", false},
        FormBody{"WithTwoNames", part("Content-Disposition: form-data; name=\"model\"; name=\"x\"", "m") + "--b--\r\n", false, ""},
        FormBody{"WithANameOfAnotherNotation", part("Content-Disposition: form-data; name*=utf-8''model", "m") + "--b--\r\n", false, ""},
        FormBody{"WithANameInQuotes", part(R"(Content-Disposition: form-data; x="; name=x; filename=y"; y="\z"; name="model")", "m") + "--b--\r\n", true},
        FormBody{"WithABlankBeforeAQuote", part(R"(Content-Disposition: form-data; name= "model")", "m") + "--b--\r\n", false, ""},
        FormBody{"WithTextBehindAQuote", part(R"(Content-Disposition: form-data; x="y"z; name="model")", "m") + "--b--\r\n", false, ""},
        FormBody{"WithAnEscapeInAName", part(R"(Content-Disposition: form-data; name="mo\del")", "m") + "--b--\r\n", false, ""},
        FormBody{"WithAFoldedHead", part("Content-Disposition: form-data; name=\"x\"\r\n ; name=\"model\"", "m") + "--b--\r\n", false, ""},
        FormBody{"WithTwoModels", field("model", "m") + field("model", "n") + "--b--\r\n", false, "n"},
        FormBody{"WithContentThatIsEncoded", part(model_head + "\r\nContent-Transfer-Encoding: base64", "m") + "--b--\r\n", false},
        FormBody{"WithContentThatIsNot", part(model_head + "\r\nContent-Transfer-Encoding:  Binary ", "m") + "--b--\r\n", true},
        FormBody{"WithAnEscapedQuote", part(R"(Content-Disposition: form-data; x="\"; name="model")", "m") + "--b--\r\n", false, ""},
        FormBody{"WithAQuoteThatDoesNotEnd", part("Content-Disposition: form-data; name=\"f\r\nx\"; filename=\"a\"", "m") + "--b--\r\n", false, ""},
        FormBody{"WithADelimiterInAHead", "--b\r\nX: y\r\n" + field("model", "m") + "--b--\r\n", false},
        FormBody{"WithTheLastDelimiterInAHead", "--b\r\n" + in_file + "\r\n--b--\r\n\r\nx\r\n" + field("model", "m") + "--b--\r\n", false},
        FormBody{"WithAHeadTooLong", field("model", "m") + "--b\r\n" + std::string(9'000, 'x') + "\r\n\r\n\r\n--b--\r\n", false}),
    [](const auto& each) { return std::string(each.param.name); });

struct Boundary {
  std::string parameters;
  std::string boundary;
  bool is_whole;
};
class Boundaries : public testing::TestWithParam<Boundary> {};

TEST_P(Boundaries, AreUnderstoodWhereAllAgree) {
  RequestFacts facts;
  MultipartScan scan(facts, "multipart/form-data" + GetParam().parameters);
  scan.feed("--" + GetParam().boundary + "\r\n" + model_head + "\r\n\r\nm\r\n--" + GetParam().boundary + "--\r\n");
  EXPECT_EQ(facts.form_is_whole, GetParam().is_whole);
}

INSTANTIATE_TEST_SUITE_P(
    Parameters, Boundaries,
    testing::Values(Boundary{"; boundary=abc", "abc", true}, Boundary{";charset=UTF-8 ; Boundary=\"a;b\"; x=y", "a;b", true},
                    Boundary{"; charset=utf-7; boundary=abc", "abc", false},
                    Boundary{"; boundary=" + std::string(70, 'x'), std::string(70, 'x'), true}, Boundary{"; boundary=" + std::string(71, 'x'), std::string(71, 'x'), false},
                    Boundary{"; boundary*=utf-8''abc", "abc", false}, Boundary{"; boundary*0=abc", "abc", false}, Boundary{"; boundary=abc; boundary*=utf-8''d", "abc", false},
                    Boundary{"; boundary=abc; boundary=d", "abc", false}, Boundary{"; boundary=d; boundary=abc", "abc", false},
                    Boundary{"; x=\"; boundary=abc\"; boundary=d", "abc", false}, Boundary{"; boundary=\"a\\\\b\"", "a\\b", false}, Boundary{"; boundary=", "", false},
                    Boundary{"", "abc", false}));

TEST(FormFacts, CountFilesOfAnyName) {
  const auto named = [](const std::string& name) { return part("Content-Disposition: form-data; " + name, "abc"); };
  EXPECT_EQ(facts_of(field("prompt", "x")).files, 0);
  EXPECT_EQ(facts_of(named(R"(name="file"; filename="a")") + named(R"(name="x"; filename="b")") + named(R"(name="image[]")")).files, 3);
  EXPECT_EQ(facts_of(named(R"(name="x"; filename="")") + named(R"(name="y"; filename*=utf-8''a)")).files, 2);
  EXPECT_EQ(facts_of(named(R"(name="x; filename=a")")).files, 0);
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
  EXPECT_EQ(length(wav(format + data_chunk(801, 802) + "LIST" + number(3'201, 4) + std::string(3'201, 'x'))), 50) << "without the last padding";
  EXPECT_EQ(length(wav(format + data_chunk(800, 800) + "fact" + number(4, 4) + "abcd" + "id3 " + number(0, 4) + "ID3 " + number(2, 4) + "ab")), 50);
  EXPECT_EQ(length(wav(format + data_chunk(1'600, 800))), 50) << "cut";
  // Written as a stream: the size was not known.
  EXPECT_EQ(length(wav(format + data_chunk(0xffffffff, 1'600))), 100);
  EXPECT_EQ(length(wav(format + data_chunk(0, 1'600))), 100);
}

TEST(FormFacts, BelieveNoClaimThatMakesAFileShort) {
  const auto length = [](const std::string& chunks) { return facts_of(file(wav(format_chunk(8'000, 16'000, 2) + chunks))).audio_ms; };
  const std::string samples(1'600, '\x01');
  EXPECT_EQ(length(data_chunk(2, 2) + samples), 100);
  EXPECT_EQ(length(data_chunk(1, 2) + samples), 100);
  EXPECT_EQ(length(data_chunk(800, 800) + data_chunk(800, 800)), 100);
  EXPECT_EQ(length(data_chunk(800, 800) + "LIST" + number(4, 4) + "abcd" + data_chunk(800, 800)), 100);
  EXPECT_EQ(length(data_chunk(800, 800) + data_chunk(0, 0) + samples), 150);
  EXPECT_EQ(length(data_chunk(2, 2) + "LIST" + number(0xffffffff, 4) + samples), 100);
  EXPECT_EQ(length(data_chunk(2, 2) + "LIST" + number(4, 4) + "abcd" + samples), 100);
  EXPECT_EQ(length(data_chunk(800, 800) + format_chunk(8'000'000, 16'000'000, 2)), 50);
}

TEST(FormFacts, BelieveNoByteRateThatMakesAFileShort) {
  EXPECT_EQ(facts_of(file(wav(format_chunk(8'000, 16'000, 2) + format_chunk(16'000, 32'000, 2) + data_chunk(800, 800)))).audio_ms, 50);
  EXPECT_EQ(facts_of(file(wav(format_chunk(16'000, 32'000, 2) + format_chunk(8'000, 16'000, 2) + format_chunk(0, 0, 0) + data_chunk(800, 800)))).audio_ms, 50);
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
