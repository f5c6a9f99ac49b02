#include <gmock/gmock.h>

#include "admin/api_fixture.hpp"
#include "proxyxai/accounts/virtual_key.hpp"

namespace proxyxai {
namespace {

using testing::HasSubstr;

TEST_F(ApiTest, AnAccountRotatesItsOwnKey) {
  const Answer made = post(root, "/x-users", {{"Name", "alice"}, {"Email", "a@example.com"}, {"CreditGranted", 5}});
  const std::string old = made["User"]["SecretKey"];
  const AccountPtr alice = by_key(old);
  const Answer unsure = post(alice, "/x-self", {{"confirm", "yes"}});
  EXPECT_EQ(unsure.error(), "invalid_value confirm");
  EXPECT_THAT(unsure.message(), HasSubstr(today() + "-ROTATE-SELF"));
  EXPECT_EQ(by_key(old), alice);
  const Answer done = post(alice, "/x-self", {{"confirm", today() + "-ROTATE-SELF"}});
  ASSERT_EQ(done.status, 200u) << done.text;
  EXPECT_EQ(names_of(done.body), "rotate success");
  EXPECT_EQ(names_of(done["rotate"]), "action id key name timestamp");
  EXPECT_EQ(done["success"], true);
  EXPECT_EQ(done["rotate"]["action"], "rotate_self");
  EXPECT_EQ(done["rotate"]["name"], "alice");
  const std::string key = done["rotate"]["key"];
  EXPECT_TRUE(is_virtual_key(key));
  EXPECT_EQ(by_key(old), nullptr);
  EXPECT_EQ(by_key(key), alice);
  EXPECT_EQ(get(root, "/x-users/alice")["PartialKey"], key.substr(31));
}

TEST_F(ApiTest, RootRotatesItsOwnAndAnyonesKey) {
  const AccountPtr alice = add(root, "alice", 100), child = add(alice, "child", 5);
  const std::string confirm = today() + "-ROTATE-ROOT";
  const Answer other = post(root, "/x-root", {{"name", "child"}, {"confirm", confirm}});
  EXPECT_EQ(other["rotate"]["action"], "rotate_root");
  EXPECT_EQ(other["rotate"]["id"], child->row.id);
  EXPECT_EQ(by_key(other["rotate"]["key"]), child);
  const std::string given(make_virtual_key().reveal());
  const Answer own = post(root, "/x-root", {{"key", given}, {"confirm", confirm}});
  EXPECT_EQ(own["rotate"]["key"], given);
  EXPECT_EQ(by_key(given), root);
  EXPECT_EQ(post(root, "/x-root", {{"name", "alice"}, {"key", given}, {"confirm", confirm}}).error(), "already_taken key");
  EXPECT_EQ(post(root, "/x-root", {{"name", "alice"}, {"key", "sk-Xvs"}, {"confirm", confirm}}).error(), "invalid_value key");
  EXPECT_EQ(post(root, "/x-root", {{"name", "nobody"}, {"confirm", confirm}}).status, 404u);
  EXPECT_EQ(post(root, "/x-root", {{"confirm", today() + "-ROTATE-SELF"}}).error(), "invalid_value confirm");
}

TEST_F(ApiTest, OnlyRootRotatesOthers) {
  const AccountPtr alice = add(root, "alice", 100);
  for (const char* method : {"POST", "GET", "DELETE"}) {
    const Answer answer = call(alice, method, "/x-root", "{}");
    EXPECT_EQ(answer.status, 403u);
    EXPECT_EQ(answer.error(), "resource_not_allowed");
  }
  EXPECT_EQ(post(alice, "/x-self", {{"name", "root"}, {"confirm", today() + "-ROTATE-SELF"}}).error(), "unknown_field name");
}

TEST_F(ApiTest, TheDayOfTheConfirmationIsThatOfTheTimeZone) {
  // 2027-01-15T08:00Z; a clock of the other side of the day is one of the process, not of the caller.
  EXPECT_EQ(today(), "2027-01-15");
  world.clock.advance(std::chrono::hours(16));
  EXPECT_EQ(post(root, "/x-self", {{"confirm", "2027-01-15-ROTATE-SELF"}}).status, 400u);
  EXPECT_EQ(post(root, "/x-self", {{"confirm", "2027-01-16-ROTATE-SELF"}}).status, 200u);
}

}  // namespace
}  // namespace proxyxai
