#include "proxyxai/objects/kinds.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

std::string describe(std::string_view path) {
  const auto found = read_object_path(path);
  if (!found) return "none";
  return std::string(facts_of(found->kind).noun) + " " + std::string(found->id) + (found->goes_on ? "/" : "");
}

TEST(Paths, lead_to_objects) {
  EXPECT_EQ(describe("/v1/files"), "File ");
  EXPECT_EQ(describe("/files/file-1"), "File file-1");
  EXPECT_EQ(describe("/v1/files/file-1/content"), "File file-1/");
  EXPECT_EQ(describe("/v1/fine_tuning/jobs/ftjob-1/events"), "Fine-tuning job ftjob-1/");
  EXPECT_EQ(describe("/v1/chat/completions"), "Chat completion ");
  EXPECT_EQ(describe("/v1/chat/completions/chatcmpl-1"), "Chat completion chatcmpl-1");
  EXPECT_EQ(describe("/v1/threads/thread_1/runs/run_1/cancel"), "Thread thread_1/");
  EXPECT_EQ(describe("/v1/responses/resp_1"), "Response resp_1");
}

TEST(Paths, lead_elsewhere) {
  for (const char* path : {"/v1/embeddings", "/v1/responses/compact", "/v1/responses/input_tokens", "/v1/threads/runs", "/v1/filesystem", "/v1/fine_tuning/checkpoints/x", "/", ""}) {
    EXPECT_EQ(describe(path), "none") << path;
  }
}

TEST(Kinds, are_told_by_the_beginning_of_an_id) {
  EXPECT_EQ(kind_of("file-abc"), ObjectKind::file);
  EXPECT_EQ(kind_of("vs_abc"), ObjectKind::vector_store);
  EXPECT_EQ(kind_of("ft:gpt-4o:org::1"), ObjectKind::model);
  EXPECT_EQ(kind_of("whatever"), ObjectKind::other);
}

}  // namespace
}  // namespace proxyxai
