#include <gmock/gmock.h>

#include "admin/api_fixture.hpp"

namespace proxyxai {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string new_user = R"({"Name":"alice","Email":"alice@example.com","CreditGranted":80})";

TEST_F(ApiTest, ARepeatedCreationAnswersTheFirstAnswer) {
  const AccountPtr parent = add(root, "parent", 100);
  const Answer first = call(parent, "POST", "/x-users", new_user, "key-1");
  ASSERT_EQ(first.status, 200u) << first.text;
  EXPECT_EQ(first.header("Idempotent-Replayed"), "");
  // By now it could not be done again: the name is taken, and the balance is too low even to manage.
  EXPECT_LE(parent->balance(), dollars(20));
  const Answer again = call(parent, "POST", "/x-users", new_user, "key-1");
  EXPECT_EQ(again.status, 200u) << again.text;
  EXPECT_EQ(again.text, first.text) << "with the same key";
  EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  EXPECT_EQ(parent->balance(), dollars(20));
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM accounts WHERE name = 'alice'"), 1);
}

TEST_F(ApiTest, ARepeatedGrantMovesNoMoneyTwice) {
  const AccountPtr parent = add(root, "parent", 100), child = add(parent, "child", 10);
  const std::string grant = R"({"CreditGranted":30,"Name":"renamed"})";
  const Answer first = call(parent, "PUT", "/x-users/child", grant, "grant");
  const Answer again = call(parent, "PUT", "/x-users/child", grant, "grant");
  EXPECT_EQ(again.text, first.text) << "though it is called otherwise now";
  EXPECT_EQ(child->balance(), dollars(40));
  EXPECT_EQ(call(parent, "PUT", path(child), R"({"CreditGranted":5})", "another").status, 200u);
  EXPECT_EQ(child->balance(), dollars(45));
}

TEST_F(ApiTest, RepetitionsAtOneTimeAreOne) {
  const AccountPtr parent = add(root, "parent", 100), child = add(parent, "child", 10);
  const std::string body = R"({"CreditGranted":30})", target = path(child);
  ApiRequest request;
  request.method = "PUT";
  request.path = target;
  request.body = body;
  request.idempotency_key = "k";
  std::vector<std::string> answers;
  for (int i = 0; i < 20; ++i) {
    boost::asio::co_spawn(world.loop, api.handle(request, parent), [&](std::exception_ptr, ApiResponse response) { answers.push_back(response.body); });
  }
  world.loop.restart();
  world.loop.run();
  ASSERT_EQ(answers.size(), 20u);
  for (const std::string& each : answers) EXPECT_EQ(each, answers[0]);
  EXPECT_EQ(child->balance(), dollars(40));
}

TEST_F(ApiTest, AKeyIsOfOneCallAndOfOneCaller) {
  const AccountPtr a = add(root, "aaaa", 100), b = add(root, "bbbb", 100);
  EXPECT_EQ(call(a, "PUT", path(a), R"({"Alias":"1"})", "k").status, 200u);
  const Answer other = call(a, "PUT", path(a), R"({"Alias":"2"})", "k");
  EXPECT_EQ(other.status, 409u);
  EXPECT_EQ(other.error(), "idempotency_key_reused Idempotency-Key");
  EXPECT_EQ(call(a, "POST", path(a), R"({"Alias":"1"})", "k").status, 409u) << "another method";
  EXPECT_EQ(call(b, "PUT", path(b), R"({"Alias":"3"})", "k").status, 200u);
  EXPECT_EQ(a->row.alias, "1");
}

TEST_F(ApiTest, ARefusedCallMayBeTriedAgain) {
  const AccountPtr child = add(root, "child", 5);
  EXPECT_EQ(call(root, "PUT", path(child), R"({"CreditGranted":-6})", "k").status, 400u);
  put(root, path(child), {{"CreditGranted", 5}});
  EXPECT_EQ(call(root, "PUT", path(child), R"({"CreditGranted":-6})", "k").status, 200u);
  EXPECT_EQ(child->balance(), dollars(4));
}

TEST_F(ApiTest, ADeletionAndARotationCanBeRepeatedToo) {
  const AccountPtr child = add(root, "child", 5);
  const Answer gone = call(root, "DELETE", "/x-users/child", "", "d");
  add(root, "child", 7);
  EXPECT_EQ(call(root, "DELETE", "/x-users/child", "", "d").text, gone.text);
  EXPECT_EQ(get(root, "/x-users/child").status, 200u) << "the new one is not the old one";
  const std::string confirm = R"({"confirm":")" + today() + R"(-ROTATE-ROOT","name":"child"})";
  const Answer rotated = call(root, "POST", "/x-root", confirm, "r");
  world.clock.advance(std::chrono::minutes(5));
  EXPECT_EQ(call(root, "POST", "/x-root", confirm, "r").text, rotated.text);
}

TEST_F(ApiTest, KeptAnswersAreSealedAndForgottenAfterADay) {
  const Answer first = call(root, "POST", "/x-users", new_user, "k");
  const std::string key = first["User"]["SecretKey"];
  for (const auto& each : std::filesystem::directory_iterator(world.directory.path())) {
    const std::string content = read_whole_file(each.path().string());
    EXPECT_THAT(content, Not(HasSubstr(key))) << each.path();
    EXPECT_THAT(content, Not(HasSubstr(key.substr(0, 31)))) << each.path();
  }
  world.clock.advance(std::chrono::hours(23));
  world.tick();
  EXPECT_EQ(call(root, "POST", "/x-users", new_user, "k").text, first.text);
  world.clock.advance(std::chrono::hours(2));
  world.tick();
  EXPECT_EQ(call(root, "POST", "/x-users", new_user, "k").error(), "already_taken Name");
}

TEST_F(ApiTest, KeysAreShortAndPrintable) {
  EXPECT_EQ(call(root, "POST", "/x-users", new_user, std::string(256, 'k')).error(), "invalid_value Idempotency-Key");
  EXPECT_EQ(call(root, "POST", "/x-users", new_user, "k\xc3\xa9").error(), "invalid_value Idempotency-Key");
  EXPECT_EQ(call(root, "POST", "/x-users", new_user, std::string(255, 'k')).status, 200u);
}

}  // namespace
}  // namespace proxyxai
