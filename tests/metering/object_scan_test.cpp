#include "proxyxai/metering/object_scan.hpp"

#include <gtest/gtest.h>

#include "pieces.hpp"

namespace proxyxai {
namespace {

using Format = ObjectScan::Format;

std::string describe(ObjectScan& scan) {
  std::string out;
  for (const ObjectName& each : scan.take()) out += (out.empty() ? "" : " ") + each.id + (each.is_item ? "~" : "");
  return out + " | " + scan.own_id() + " " + scan.status();
}

std::string told_by(Format format, const std::string& answer) {
  ObjectScan whole(format);
  whole.feed(answer);
  const std::string told = describe(whole);
  in_all_pieces(answer, [&](const Pieces& pieces) {
    ObjectScan split(format);
    for (const auto piece : pieces) split.feed(piece);
    EXPECT_EQ(describe(split), told) << answer;
  });
  return told;
}

TEST(Objects, of_a_document_are_found_but_in_metadata) {
  EXPECT_EQ(told_by(Format::json, R"({"object":"file","id":"file-12345678","bytes":5,"status":"processed"})"), "file-12345678 | file-12345678 processed");
  EXPECT_EQ(told_by(Format::json, R"({"id":"batch_12345678","input_file_id":"file-1aaaaaaa","output_file_id":"file-2bbbbbbb","metadata":{"id":"file-3ccccccc","a":{"id":"file-4ddddddd"}},"error_file_id":null})"),
            "batch_12345678 file-1aaaaaaa file-2bbbbbbb | batch_12345678 ");
  EXPECT_EQ(told_by(Format::json, R"({"output":[{"id":"msg_12345678","content":[{"text":"file-12345678","annotations":[{"file_id":"cfile_12345","container_id":"cntr_1234567"}]}]}],"id":"resp_1234567"})"),
            "msg_12345678~ cntr_1234567 resp_1234567 | resp_1234567 ");
  EXPECT_EQ(told_by(Format::json, R"({"messages":[{"metadata":{"file_id":"file-12345678"}}],"id":"odd"})"), " | odd ");
}

TEST(Objects, of_events_are_those_of_the_response_and_its_items) {
  EXPECT_EQ(told_by(Format::events,
                    "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1234567\",\"status\":\"queued\"}}\n\n"
                    "event: response.output_text.delta\ndata: {\"item_id\":\"msg_99999999\",\"delta\":\"x\"}\n\n"
                    "event: response.output_item.done\ndata: {\"item\":{\"id\":\"msg_12345678\"}}\n\n"
                    "event: response.completed\ndata: {\"response\":{\"id\":\"resp_1234567\",\"status\":\"completed\"}}\n\n"),
            "resp_1234567 msg_12345678~ resp_1234567 | resp_1234567 completed");
}

TEST(Objects, of_chunks_are_the_first) {
  EXPECT_EQ(told_by(Format::first_event, "data: {\"id\":\"chatcmpl-12345678\"}\n\ndata: {\"id\":\"chatcmpl-87654321\"}\n\ndata: [DONE]\n\n"),
            "chatcmpl-12345678 | chatcmpl-12345678 ");
}

TEST(Documents, tell_a_model_that_was_trained) {
  ObjectScan job(Format::json);
  job.feed(R"({"id":"ftjob-12345678","fine_tuned_model":"ft:gpt-4o:org::x"})");
  EXPECT_EQ(job.tuned_model(), "ft:gpt-4o:org::x");
}

}  // namespace
}  // namespace proxyxai
