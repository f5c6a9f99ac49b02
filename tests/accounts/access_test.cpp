#include "proxyxai/accounts/access.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

/// The list that a change makes of another; `!word` names what was at fault.
std::string addresses(const char* stored, const char* allow, const char* deny) {
  std::string bad;
  return change_addresses(stored, allow, deny, bad).value_or("!" + bad);
}
std::string models(const char* stored, const char* allow, const char* deny) {
  std::string bad;
  return change_models(stored, allow, deny, bad).value_or("!" + bad);
}

TEST(Access, AnEmptyListAllowsEverything) {
  const AccessRules rules("", "", "");
  EXPECT_TRUE(rules.allows_address("1.2.3.4"));
  EXPECT_TRUE(rules.allows_model("anything"));
  EXPECT_FALSE(rules.limits_models());
  EXPECT_TRUE(rules.allows_path("/v1/embeddings"));
}

TEST(Access, AddressesOfBothKindsAndRanges) {
  const AccessRules rules("10.0.0.0/8 2001:db8::/32 192.0.2.7", "", "");
  for (const char* good : {"10.1.2.3", "2001:db8::1", "192.0.2.7", "::ffff:10.1.2.3"}) EXPECT_TRUE(rules.allows_address(good)) << good;
  for (const char* bad : {"11.1.2.3", "2001:db9::1", "192.0.2.8", "", "x"}) EXPECT_FALSE(rules.allows_address(bad)) << bad;
}

TEST(Access, ARangeCanBeTakenOut) {
  const AccessRules within("10.0.0.0/8 -10.1.0.0/16", "", ""), without("-10.1.0.0/16", "", "");
  EXPECT_TRUE(within.allows_address("10.2.0.1"));
  EXPECT_FALSE(within.allows_address("10.1.0.1"));
  EXPECT_FALSE(within.allows_address("1.1.1.1"));
  EXPECT_TRUE(without.allows_address("1.1.1.1"));
  EXPECT_FALSE(without.allows_address("10.1.0.1"));
}

TEST(Access, AListThatIsNotWellFormedAllowsNothing) {
  for (const char* list : {"nonsense", "10.0.0.0/8 nonsense", "-nonsense", "10.0.0.0/99"}) {
    EXPECT_FALSE(AccessRules(list, "", "").allows_address("10.0.0.1")) << list;
  }
}

TEST(Access, ModelsByNameByPatternAndByException) {
  const AccessRules rules("", "gpt-4o gpt-4.1* -gpt-4.1-nano", "");
  for (const char* good : {"gpt-4o", "gpt-4.1", "gpt-4.1-mini"}) EXPECT_TRUE(rules.allows_model(good)) << good;
  for (const char* bad : {"gpt-4.1-nano", "gpt-4o-mini", "o3", ""}) EXPECT_FALSE(rules.allows_model(bad)) << bad;
  const AccessRules all_but("", "-o3*", "");
  EXPECT_TRUE(all_but.allows_model("gpt-4o"));
  EXPECT_FALSE(all_but.allows_model("o3-pro"));
  EXPECT_FALSE(AccessRules("", "-*", "").allows_model("gpt-4o"));
}

TEST(Access, PathsWithAndWithoutVersionAndBelow) {
  const AccessRules rules("", "", "/v1/chat /embeddings /v1/images/*");
  for (const char* good : {"/v1/chat/completions", "/chat", "/v1/embeddings", "/v1/images/edits"}) EXPECT_TRUE(rules.allows_path(good)) << good;
  for (const char* bad : {"/v1/chatter", "/v1/responses", "/x-users"}) EXPECT_FALSE(rules.allows_path(bad)) << bad;
  EXPECT_TRUE(AccessRules("", "", "/v1").allows_path("/v1/embeddings"));
}

TEST(ChangeAddresses, AllowAddsAndDenyTakesOut) {
  EXPECT_EQ(addresses("", "10.0.0.0/8", ""), "10.0.0.0/8");
  EXPECT_EQ(addresses("10.0.0.0/8", "1.1.1.1, ::1", ""), "10.0.0.0/8 1.1.1.1 ::1");
  EXPECT_EQ(addresses("10.0.0.0/8", "10.0.0.0/8", ""), "10.0.0.0/8");
  EXPECT_EQ(addresses("10.0.0.0/8 1.1.1.1", "", "1.1.1.1"), "10.0.0.0/8");
  EXPECT_EQ(addresses("10.0.0.0/8", "*", ""), "");
  EXPECT_EQ(addresses("", "", "*"), "127.0.0.0/8 ::1");
  EXPECT_EQ(addresses("10.0.0.0/8", "* 1.1.1.1", ""), "1.1.1.1");
}

TEST(ChangeAddresses, DenyingNeverAllowsMore) {
  EXPECT_EQ(addresses("1.1.1.1", "", "1.1.1.1"), "127.0.0.0/8 ::1") << "an empty list would allow everything";
  EXPECT_EQ(addresses("10.0.0.0/8", "", "10.0.0.5"), "10.0.0.0/8 -10.0.0.5");
  EXPECT_EQ(addresses("10.0.0.5 1.1.1.1", "", "10.0.0.0/8"), "10.0.0.5 1.1.1.1 -10.0.0.0/8");
  EXPECT_EQ(addresses("10.0.0.0/8 10.0.0.5", "", "10.0.0.0/8"), "10.0.0.5 -10.0.0.0/8");
  EXPECT_EQ(addresses("", "", "1.1.1.1"), "-1.1.1.1") << "all others stay allowed";
}

TEST(ChangeAddresses, AllowingUndoesDenying) {
  EXPECT_EQ(addresses("-1.1.1.1", "1.1.1.1", ""), "");
  EXPECT_EQ(addresses("10.0.0.0/8 -10.0.0.5", "10.0.0.5", ""), "10.0.0.0/8 10.0.0.5");
  EXPECT_EQ(addresses("", "10.0.0.0/8 -10.0.0.5", ""), "10.0.0.0/8 -10.0.0.5") << "as it is shown";
  EXPECT_EQ(addresses("", "-*", ""), "127.0.0.0/8 ::1");
}

TEST(ChangeAddresses, WordsThatAreNoneAreNamed) {
  EXPECT_EQ(addresses("", "10.0.0.0/8 10.0.0.0/33", ""), "!10.0.0.0/33");
  EXPECT_EQ(addresses("", "", "localhost"), "!localhost");
  EXPECT_EQ(addresses("", "1.2.3", ""), "!1.2.3");
}

TEST(ChangeModels, AllowAddsAndDenyTakesOut) {
  EXPECT_EQ(models("", "gpt-4o", ""), "gpt-4o");
  EXPECT_EQ(models("gpt-4o", "gpt-4.1*", ""), "gpt-4o gpt-4.1*");
  EXPECT_EQ(models("gpt-4o gpt-4.1*", "", "gpt-4o"), "gpt-4.1*");
  EXPECT_EQ(models("gpt-4o", "*", ""), "");
  EXPECT_EQ(models("gpt-4o", "", "*"), "-*");
  EXPECT_EQ(models("-*", "gpt-4o", ""), "gpt-4o");
  EXPECT_EQ(models("", "-o3", ""), "-o3");
  EXPECT_EQ(models("org/model-a org/model-b", "", "org/model-a"), "org/model-b");
}

TEST(ChangeModels, DenyingNeverAllowsMore) {
  EXPECT_EQ(models("gpt-4o", "", "gpt-4o"), "-*") << "a list of exceptions only would allow all others";
  EXPECT_EQ(models("gpt-4* gpt-4o", "", "gpt-4o"), "gpt-4* -gpt-4o");
  EXPECT_EQ(models("gpt-4* gpt-4o", "", "gpt-4*"), "gpt-4o -gpt-4*");
  EXPECT_EQ(models("", "", "o3"), "-o3");
  EXPECT_EQ(models("", "", "-o3"), "-o3");
}

TEST(ChangeModels, AllowingAfterNothingAllowsThatAlone) {
  const std::string denied = models("-*", "", "gpt-4");
  EXPECT_EQ(models(denied.c_str(), "gpt-4", ""), "gpt-4");
  EXPECT_EQ(models("-*", "-gpt-4", ""), "-* -gpt-4");
  EXPECT_EQ(models("gpt-4", "-*", ""), "-*");
  EXPECT_EQ(models("gpt-4", "", "-*"), "-*");
}

TEST(ChangeModels, AllowingUndoesDenying) {
  EXPECT_EQ(models("-o3", "o3", ""), "");
  EXPECT_EQ(models("gpt-4* -gpt-4o", "gpt-4o", ""), "gpt-4* gpt-4o");
}

TEST(ChangeModels, WordsThatAreNoneAreNamed) {
  EXPECT_EQ(models("", "gpt*4", ""), "!gpt*4");
  EXPECT_EQ(models("", "a\"b", ""), "!a\"b");
  EXPECT_EQ(models("", "-", ""), "!-");
}

TEST(Resources, ArePathsOrAll) {
  std::string bad;
  EXPECT_EQ(check_resources("*", bad), "");
  EXPECT_EQ(check_resources(" /v1/chat  /v1/models", bad), "/v1/chat /v1/models");
  EXPECT_EQ(check_resources("v1/chat", bad), std::nullopt);
  EXPECT_EQ(bad, "v1/chat");
  EXPECT_EQ(check_resources(std::string("/v1\0", 4), bad), std::nullopt);
}

}  // namespace
}  // namespace proxyxai
