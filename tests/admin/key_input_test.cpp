#include "proxyxai/admin/key_input.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

constexpr const char* secret = "sk-0123456789abcdefghij";

KeyInput good_keys(const std::string& body, std::string_view type = "application/json") {
  auto read = read_new_keys(type, body);
  if (auto* error = std::get_if<ApiError>(&read)) throw std::runtime_error(error->message);
  return std::get<KeyInput>(std::move(read));
}

ApiError bad_keys(const std::string& body, std::string_view type = "application/json") {
  auto read = read_new_keys(type, body);
  if (std::holds_alternative<KeyInput>(read)) throw std::runtime_error("taken: " + body);
  return std::get<ApiError>(std::move(read));
}

TEST(NewKeys, OneKeyWithEveryField) {
  const auto input = good_keys(R"({"SecretKey":"sk-0123456789abcdefghij","Name":"n","Provider":"https://Up.example/v1/","Level":2,"Weight":5,
                             "RPM":60,"TPM":90000,"Concurrency":4,"Status":false,"Verify":true})");
  ASSERT_EQ(input.keys.size(), 1u);
  EXPECT_FALSE(input.is_list);
  EXPECT_TRUE(input.verify);
  const NewKey& key = input.keys[0];
  EXPECT_EQ(key.secret.reveal(), secret);
  EXPECT_EQ(key.provider, "https://up.example");
  EXPECT_EQ(key.level, 2);
  EXPECT_EQ(key.weight, 5u);
  EXPECT_EQ(key.quota, (KeyQuota{60, 90'000, 4}));
  EXPECT_FALSE(key.enabled);
}

TEST(NewKeys, ListsInEveryForm) {
  EXPECT_EQ(good_keys(R"(["sk-0123456789abcdefghij",{"SecretKey":"sk-0123456789abcdefghik","Name":"b"}])").keys.size(), 2u);
  const auto bulk = good_keys(R"({"SecretKeys":["sk-0123456789abcdefghij",{"SecretKey":"sk-0123456789abcdefghik","Level":9}],"Level":3,"Name":"all"})");
  ASSERT_EQ(bulk.keys.size(), 2u);
  EXPECT_TRUE(bulk.is_list);
  EXPECT_EQ(bulk.keys[0].name, "all");
  EXPECT_EQ(bulk.keys[0].level, 3);
  const auto text = good_keys("# comment\r\n\r\n  sk-0123456789abcdefghij  \nsk-0123456789abcdefghik::https://other.example\n", "text/plain; charset=utf-8");
  ASSERT_EQ(text.keys.size(), 2u);
  EXPECT_EQ(text.keys[1].provider, "https://other.example");
}

TEST(NewKeys, WhatIsSaidOfAllHoldsForWhoSaysNothingElse) {
  const auto bulk = good_keys(R"({"SecretKeys":["sk-0123456789abcdefghij::https://own.example",{"SecretKey":"sk-0123456789abcdefghik","Name":"own","Level":9,
                            "Weight":1,"RPM":0,"Status":true},{"SecretKey":"sk-0123456789abcdefghil"}],
                            "Name":"all","Provider":"https://all.example","Level":3,"Weight":2,"RPM":60,"TPM":900,"Concurrency":4,"Status":false})");
  ASSERT_EQ(bulk.keys.size(), 3u);
  for (const std::size_t i : {0u, 2u}) {
    EXPECT_EQ(bulk.keys[i].name, "all");
    EXPECT_EQ(bulk.keys[i].provider, i == 0 ? "https://own.example" : "https://all.example");
    EXPECT_EQ(bulk.keys[i].level, 3);
    EXPECT_EQ(bulk.keys[i].weight, 2u);
    EXPECT_EQ(bulk.keys[i].quota, (KeyQuota{60, 900, 4}));
    EXPECT_FALSE(bulk.keys[i].enabled);
  }
  const NewKey& own = bulk.keys[1];
  EXPECT_EQ(own.name, "own");
  EXPECT_EQ(own.provider, "https://all.example");
  EXPECT_EQ(own.level, 9);
  EXPECT_EQ(own.weight, 1u);
  EXPECT_EQ(own.quota, (KeyQuota{0, 900, 4}));
  EXPECT_TRUE(own.enabled);
  EXPECT_EQ(own.secret.reveal(), "sk-0123456789abcdefghik");
  EXPECT_EQ(bad_keys(R"({"SecretKeys":["sk-0123456789abcdefghij",{"Name":"x"}],"Level":3})").param, "SecretKeys[1].SecretKey");
}

TEST(KeyInputFaults, QuoteNumbersButNoText) {
  EXPECT_EQ(bad_keys(R"({"SecretKey":"sk-0123456789abcdefghij","Level":1.5})").message, "Level is 1.5; it must be a whole number from 0 to 1000.");
  EXPECT_EQ(bad_keys(R"({"SecretKey":"sk-0123456789abcdefghij","Status":"sk-secret"})").message, "Status is of type string; it must be true or false.");
}

struct BadKeyInput {
  const char* body;
  const char* param;
};

class BadKeys : public testing::TestWithParam<BadKeyInput> {};

TEST_P(BadKeys, NameTheFieldAtFault) {
  const ApiError error = bad_keys(GetParam().body);
  EXPECT_EQ(error.status, 400u);
  EXPECT_EQ(error.param, GetParam().param);
  EXPECT_FALSE(error.message.empty());
  EXPECT_EQ(error.message.find("0123456789"), error.message.npos) << "an error must not quote a secret";
}

INSTANTIATE_TEST_SUITE_P(
    Bodies, BadKeys,
    testing::Values(BadKeyInput{"not json", ""}, BadKeyInput{"{}", "SecretKey"}, BadKeyInput{"[]", "SecretKeys"}, BadKeyInput{"42", ""},
                    BadKeyInput{R"({"SecretKey":"short"})", "SecretKey"}, BadKeyInput{R"({"SecretKey":7})", "SecretKey"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789\nabcdefghij"})", "SecretKey"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789abcdefghij","Colour":1})", "Colour"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789abcdefghij","Provider":"ftp://x"})", "Provider"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789abcdefghij","Provider":"https://u:p@x"})", "Provider"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789abcdefghij","Weight":0})", "Weight"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789abcdefghij","Level":1.5})", "Level"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789abcdefghij","RPM":-1})", "RPM"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789abcdefghij","TPM":"90k"})", "TPM"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789abcdefghij","Concurrency":1000000001})", "Concurrency"},
                    BadKeyInput{R"({"SecretKeys":["sk-0123456789abcdefghij"],"TPM":0.5})", "TPM"},
                    BadKeyInput{R"({"SecretKeys":[{"SecretKey":"sk-0123456789abcdefghij","RPM":true}]})", "SecretKeys[0].RPM"},
                    BadKeyInput{R"({"SecretKey":"sk-0123456789abcdefghij","Status":"yes"})", "Status"},
                    BadKeyInput{R"(["sk-0123456789abcdefghij","short"])", "[1]"},
                    BadKeyInput{R"(["sk-0123456789abcdefghij",{"Name":"x"}])", "[1].SecretKey"},
                    BadKeyInput{R"({"SecretKeys":["sk-0123456789abcdefghij",{"SecretKey":"x"}]})", "SecretKeys[1].SecretKey"},
                    BadKeyInput{R"({"SecretKeys":"sk-0123456789abcdefghij"})", "SecretKeys"}));

TEST(NewKeys, TextNamesTheLine) {
  EXPECT_EQ(bad_keys("sk-0123456789abcdefghij\nshort\n", "text/plain").param, "line 2");
  EXPECT_EQ(bad_keys("\n\n", "text/plain").param, "SecretKeys");
}

TEST(KeyChanges, TakeWhatIsThereAndNothingElse) {
  const auto read = read_key_change(R"({"Weight":3,"Status":false})");
  const auto& change = std::get<KeyChange>(read);
  EXPECT_EQ(change.weight, 3u);
  EXPECT_EQ(change.enabled, false);
  EXPECT_FALSE(change.name);
  EXPECT_FALSE(change.rpm || change.tpm || change.concurrency);
  const auto limits = read_key_change(R"({"RPM":60,"TPM":0,"Concurrency":1000000000})");
  EXPECT_EQ(std::get<KeyChange>(limits).rpm, 60);
  EXPECT_EQ(std::get<KeyChange>(limits).tpm, 0);
  EXPECT_EQ(std::get<KeyChange>(limits).concurrency, 1'000'000'000);
  EXPECT_EQ(std::get<ApiError>(read_key_change(R"({"RPM":-1})")).param, "RPM");
  EXPECT_TRUE(std::holds_alternative<ApiError>(read_key_change("{}")));
  EXPECT_TRUE(std::holds_alternative<ApiError>(read_key_change(R"({"SecretKey":"sk-0123456789abcdefghij"})")));
}

}  // namespace
}  // namespace proxyxai
