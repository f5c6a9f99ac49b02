#include "proxyxai/metering/prompt_hash.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

std::uint64_t hash_of(const std::string& body, std::size_t piece = 1'000'000) {
  RequestFacts facts;
  JsonScan scan(facts);
  PromptHash hash(facts);
  for (std::size_t at = 0; at < body.size(); at += piece) {
    const std::string part = body.substr(at, piece);
    scan.feed(part);
    hash.feed(part);
  }
  return hash.value();
}

std::string chat(const std::string& text, const std::string& first = "") {
  return "{" + first + R"("model":"m","messages":[{"role":"user","content":")" + text + R"("}]})";
}

TEST(Prompts, that_begin_alike_are_one) {
  const std::string long_text(8'000, 'x');
  const std::uint64_t hash = hash_of(chat(long_text + "one"));
  EXPECT_NE(hash, 0U);
  EXPECT_EQ(hash_of(chat(long_text + "two")), hash);
  EXPECT_EQ(hash_of(chat(long_text, R"("temperature":0.5,)")), hash) << "what stands before it does not count";
  EXPECT_NE(hash_of(chat("y" + long_text)), hash);
  for (const std::size_t piece : {1u, 7u, 4'096u}) EXPECT_EQ(hash_of(chat(long_text), piece), hash);
}

TEST(Prompts, that_are_too_short_to_be_cached_have_none) { EXPECT_EQ(hash_of(chat("hello")), 0U); }

TEST(Prompts, with_a_key_go_by_it) {
  const std::string key = R"("prompt_cache_key":"tenant-1",)";
  EXPECT_NE(hash_of(chat("a", key)), 0U);
  EXPECT_EQ(hash_of(chat("a", key)), hash_of(chat(std::string(8'000, 'b'), key)));
  EXPECT_NE(hash_of(chat("a", key)), hash_of(chat("a", R"("prompt_cache_key":"tenant-2",)")));
}

}  // namespace
}  // namespace proxyxai
