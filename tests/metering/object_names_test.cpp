#include <gtest/gtest.h>

#include "pieces.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {
namespace {

/// `id` of what is named whatever it looks like, `id~` of items, `id?` of what only looks like an object; in order.
std::string describe(const RequestFacts& facts) {
  std::string out;
  for (const ObjectName& each : facts.objects) {
    out += (out.empty() ? "" : " ") + each.id + (each.is_item ? "~" : each.member.empty() || each.member == "id" ? "?" : "");
  }
  return out;
}

std::string named_in(const std::string& body) {
  RequestFacts whole;
  JsonScan(whole).feed(body);
  in_all_pieces(body, [&](const Pieces& pieces) {
    RequestFacts split;
    JsonScan scan(split);
    for (const auto piece : pieces) scan.feed(piece);
    EXPECT_EQ(describe(split), describe(whole)) << body;
  });
  return describe(whole);
}

struct Case {
  const char* body;
  const char* named;
};
class NamedObjects : public testing::TestWithParam<Case> {};
TEST_P(NamedObjects, AreFoundWhereverTheyStand) { EXPECT_EQ(named_in(GetParam().body), GetParam().named) << GetParam().body; }

INSTANTIATE_TEST_SUITE_P(
    Bodies, NamedObjects,
    testing::Values(
        Case{R"({"previous_response_id":"resp_12345678","input":"hi"})", "resp_12345678"},
        Case{R"({"input_file_id":"file-12345678","endpoint":"/v1/responses"})", "file-12345678"},
        Case{R"({"input":[{"role":"user","content":[{"type":"input_file","file_id":"file-abcdefgh"},{"type":"input_text","text":"file-zzzzzzzz"}]}]})", "file-abcdefgh"},
        Case{R"({"tools":[{"type":"file_search","vector_store_ids":["vs_11111111","vs_22222222"]}],"input":"x"})", "vs_11111111 vs_22222222"},
        Case{R"({"tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["file-aaaaaaaa","file-bbbbbbbb"]}}]})", "file-aaaaaaaa file-bbbbbbbb"},
        Case{R"({"container":"cntr_12345678"})", "cntr_12345678?"}, Case{R"({"container":"auto"})", ""},
        Case{R"({"conversation":"conv_12345678"})", "conv_12345678?"}, Case{R"({"conversation":{"id":"conv_12345678"}})", "conv_12345678?"},
        Case{R"({"input":[{"type":"item_reference","id":"msg_12345678"},{"id":"rs_12345678","type":"reasoning"}]})", "msg_12345678~ rs_12345678~"},
        // What the name says is enough.
        Case{R"({"file_id":"x"})", "x"}, Case{R"({"file_ids":["x","y"]})", "x"}, Case{R"({"file_id":""})", ""}, Case{R"({"file_id":null})", ""},
        // Escapes hide nothing.
        Case{R"({"file\u005fid":"file-\u0061bcdefg"})", "file-abcdefg"}, Case{R"({"a":{"file_i\u0064":"file-\u0061bcdefg"}})", "file-abcdefg"},
        Case{R"({"a" : { "file_id" : "file-abcdefgh" } })", "file-abcdefgh"},
        // Text is text, and names are no values.
        Case{R"({"messages":[{"role":"user","content":"file-12345678"}]})", ""}, Case{R"({"a":{"file_ids":["b"],"file-12345678":1}})", "b"},
        Case{R"({"a":{"file_id":{"type":"string"}}})", ""}, Case{R"({"tool_call_id":"call_12345678"})", ""},
        // Metadata is the caller's own.
        Case{R"({"metadata":{"file_id":"file-12345678"},"file_id":"file-87654321"})", "file-87654321"},
        Case{R"({"messages":[{"tool_calls":[{"id":"call_12345678"}]}]})", ""}));

TEST(NamedObjects, of_more_than_are_read_are_told) {
  std::string body = R"({"file_ids":[)";
  for (std::size_t i = 0; i <= max_objects; ++i) body += (i > 0 ? ",\"file-" : "\"file-") + std::to_string(10'000'000 + i) + '"';
  RequestFacts facts;
  JsonScan(facts).feed(body + "]}");
  EXPECT_EQ(facts.objects.size(), max_objects);
  EXPECT_TRUE(facts.has_more_objects);
}

TEST(NamedObjects, whose_ids_are_too_long_are_no_longer_ids) {
  const std::string id = "file-" + std::string(200, 'a');
  EXPECT_EQ(named_in(R"({"id":")" + id + R"("})"), "");
  EXPECT_EQ(named_in(R"({"file_id":")" + id + R"("})"), id.substr(0, max_object_id));
}

TEST(NamedObjects, of_a_form_are_found) {
  RequestFacts facts;
  MultipartScan scan(facts, "multipart/form-data; boundary=b");
  scan.feed("--b\r\nContent-Disposition: form-data; name=\"file_id\"\r\n\r\nfile-12345678\r\n"
            "--b\r\nContent-Disposition: form-data; name=\"file_ids[]\"\r\n\r\nfile-22222222\r\n"
            "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nfile-33333333\r\n--b--\r\n");
  EXPECT_EQ(describe(facts), "file-12345678 file-22222222");
}

TEST(StoredAnswers, are_asked_for_or_not) {
  const auto store = [](const char* body) {
    RequestFacts facts;
    JsonScan(facts).feed(body);
    return facts.store;
  };
  EXPECT_EQ(store(R"({"store":false})"), false);
  EXPECT_EQ(store(R"({"store":true})"), true);
  EXPECT_EQ(store(R"({"store":null})"), std::nullopt);
  EXPECT_EQ(store(R"({"a":{"store":true}})"), std::nullopt);
}

}  // namespace
}  // namespace proxyxai
