#include "proxyxai/admin/account_input.hpp"

#include <gtest/gtest.h>

namespace proxyxai {
namespace {

AccountInput good(const std::string& body) { return read_account_input(body); }

ApiError bad(const std::string& body) {
  try {
    read_account_input(body);
  } catch (const Refused& refused) {
    return refused.error();
  }
  throw std::runtime_error("taken: " + body);
}

TEST(AccountInput, EveryField) {
  const AccountInput input = good(R"({"Name":"n","Alias":"a","Email":"e","BillingEmail":"b","CreditGranted":-0.000000001,"Days":1.5,
    "Rates":1.25,"HardLimit":100000000,"SoftLimit":0,"RPM":1,"RPH":2,"RPD":3,"TPM":4,"TPH":5,"TPD":6.0,"Concurrency":0,"AllowIPs":"10.0.0.0/8",
    "DenyIPs":["::1","1.1.1.1"],"AllowModels":["gpt-4o"],"DenyModels":"o3 o4","Resources":["/v1/chat"],
    "ModelLimits":{"gpt-4o":{"rpm":30}},"Status":false,"AbortPolicy":"drain"})");
  const AccountChange& change = input.change;
  EXPECT_EQ(input.fields.size(), 24u);
  EXPECT_EQ(change.name, "n");
  EXPECT_EQ(change.alias, "a");
  EXPECT_EQ(change.email, "e");
  EXPECT_EQ(change.billing_email, "b");
  EXPECT_EQ(change.credit_granted, Money{-1});
  EXPECT_EQ(change.days, 1.5);
  EXPECT_EQ(change.rates, 1'250'000'000);
  EXPECT_EQ(change.hard_limit, most_money);
  EXPECT_EQ(change.soft_limit, Money{});
  EXPECT_EQ(change.rpm, 1);
  EXPECT_EQ(change.rph, 2);
  EXPECT_EQ(change.rpd, 3);
  EXPECT_EQ(change.tpm, 4);
  EXPECT_EQ(change.tph, 5);
  EXPECT_EQ(change.tpd, 6);
  EXPECT_EQ(change.concurrency, 0);
  EXPECT_EQ(change.allow_ips, "10.0.0.0/8");
  EXPECT_EQ(change.deny_ips, "::1 1.1.1.1");
  EXPECT_EQ(change.allow_models, "gpt-4o");
  EXPECT_EQ(change.deny_models, "o3 o4");
  EXPECT_EQ(change.resources, "/v1/chat");
  EXPECT_EQ(change.model_limits, R"({"gpt-4o":{"rpm":30}})");
  EXPECT_EQ(change.enabled, false);
  EXPECT_EQ(change.drains_aborted, true);
}

TEST(AccountInput, WhatIsNotGivenIsNotAsked) {
  const AccountChange change = good(R"({"RateLimit":60})").change;
  EXPECT_EQ(change.rpm, 60);
  EXPECT_FALSE(change.name || change.credit_granted || change.enabled || change.rates || change.allow_ips || change.model_limits);
}

TEST(AccountInput, AmountsAreExact) {
  EXPECT_EQ(good(R"({"CreditGranted":0.1})").change.credit_granted->nanos, 100'000'000);
  EXPECT_EQ(good(R"({"CreditGranted":1e-9})").change.credit_granted->nanos, 1);
  EXPECT_EQ(good(R"({"CreditGranted":1234567.123456789})").change.credit_granted->nanos, 1'234'567'123'456'789);
  EXPECT_EQ(good(R"({"CreditGranted":-0.0})").change.credit_granted->nanos, 0);
}

struct BadInput {
  const char* body;
  const char* param;
  const char* code = "invalid_value";
};
void PrintTo(const BadInput& input, std::ostream* out) { *out << input.body; }

class BadAccounts : public testing::TestWithParam<BadInput> {};

TEST_P(BadAccounts, NameTheFieldAtFault) {
  const ApiError error = bad(GetParam().body);
  EXPECT_EQ(error.status, 400u);
  EXPECT_EQ(error.code, GetParam().code);
  EXPECT_EQ(error.param, GetParam().param) << error.message;
  EXPECT_NE(error.message.find(GetParam().param), std::string::npos) << error.message;
  EXPECT_TRUE(error.final);
}

INSTANTIATE_TEST_SUITE_P(Amounts, BadAccounts,
                         testing::Values(BadInput{R"({"CreditGranted":"5"})", "CreditGranted"}, BadInput{R"({"CreditGranted":null})", "CreditGranted"},
                                         BadInput{R"({"CreditGranted":true})", "CreditGranted"}, BadInput{R"({"CreditGranted":[1]})", "CreditGranted"},
                                         BadInput{R"({"CreditGranted":1e-10})", "CreditGranted"},
                                         BadInput{R"({"CreditGranted":0.0000000015})", "CreditGranted"},
                                         BadInput{R"({"CreditGranted":100000000.1})", "CreditGranted"},
                                         BadInput{R"({"CreditGranted":-1e9})", "CreditGranted"}, BadInput{R"({"CreditGranted":1e300})", "CreditGranted"},
                                         BadInput{R"({"CreditGranted":1e999})", "CreditGranted"},
                                         BadInput{R"({"CreditGranted":99999999999999999999999})", "CreditGranted"},
                                         BadInput{R"({"HardLimit":9223372036854775807})", "HardLimit"},
                                         BadInput{R"({"CreditGranted":NaN})", "CreditGranted", "invalid_json"},
                                         BadInput{R"({"CreditGranted":Infinity})", "CreditGranted", "invalid_json"},
                                         BadInput{R"({"Rates":0})", "Rates"}, BadInput{R"({"Rates":-1})", "Rates"},
                                         BadInput{R"({"Rates":1e-12})", "Rates"}, BadInput{R"({"Rates":"2"})", "Rates"},
                                         BadInput{R"({"Days":"7"})", "Days"}, BadInput{R"({"Days":1e999})", "Days"}));
INSTANTIATE_TEST_SUITE_P(Numbers, BadAccounts,
                         testing::Values(BadInput{R"({"RPM":1.5})", "RPM"}, BadInput{R"({"RPM":"60"})", "RPM"}, BadInput{R"({"TPD":1e300})", "TPD"},
                                         BadInput{R"({"TPD":18446744073709551615})", "TPD"}, BadInput{R"({"Concurrency":null})", "Concurrency"},
                                         BadInput{R"({"RPM":1,"RateLimit":2})", "RateLimit"}));
INSTANTIATE_TEST_SUITE_P(Kinds, BadAccounts,
                         testing::Values(BadInput{R"({"Name":5})", "Name"}, BadInput{R"({"Email":null})", "Email"}, BadInput{R"({"Alias":{}})", "Alias"},
                                         BadInput{R"({"Status":"true"})", "Status"}, BadInput{R"({"Status":1})", "Status"},
                                         BadInput{R"({"AbortPolicy":"stop"})", "AbortPolicy"}, BadInput{R"({"AbortPolicy":true})", "AbortPolicy"},
                                         BadInput{R"({"AllowIPs":5})", "AllowIPs"}, BadInput{R"({"AllowIPs":[5]})", "AllowIPs"},
                                         BadInput{R"({"AllowModels":{}})", "AllowModels"}, BadInput{R"({"ModelLimits":"{}"})", "ModelLimits"},
                                         BadInput{R"({"ModelLimits":[]})", "ModelLimits"}, BadInput{R"({"Name":"a","Name":"b"})", "Name"},
                                         BadInput{R"({"Nmae":"a"})", "Nmae", "unknown_field"}, BadInput{R"({"name":"a"})", "name", "unknown_field"}));

TEST(AccountInput, SomeFieldsNobodySets) {
  for (const char* field : {"ID", "DNA", "Level", "Balance", "CreditUsed", "CreditBalance", "Child", "ChildLimit", "Parent", "ParentID", "Requests",
                            "SecretKey", "PartialKey", "CreatedAt", "UpdatedAt"}) {
    const ApiError error = bad("{\"" + std::string(field) + "\":1}");
    EXPECT_EQ(error.code, "not_settable") << field;
    EXPECT_EQ(error.param, field);
  }
}

TEST(AccountInput, BodiesThatAreNoObject) {
  for (const char* body : {"", "[]", "5", "null", "{", "{\"Name\":\"a\"}x", "\xff", "{\"Name\":\"\xff\"}"}) EXPECT_EQ(bad(body).code, "invalid_json") << body;
  EXPECT_EQ(bad("{}").code, "invalid_value");
}

TEST(AccountInput, DepthIsBounded) {
  // Written out again by recursion, half a million levels would end the process.
  const std::string deep = R"({"ModelLimits":{"a":)" + std::string(300'000, '[') + std::string(300'000, ']') + "}}";
  EXPECT_EQ(bad(deep).param, "ModelLimits");
  EXPECT_EQ(bad(std::string(500'000, '[')).status, 400u);
}

TEST(Rotation, IsConfirmedWithTheDay) {
  const std::string day = "2026-11-25-ROTATE-ROOT";
  const RotationInput input = read_rotation(R"({"confirm":"2026-11-25-ROTATE-ROOT","name":"bob1","key":"sk-x"})", day, true);
  EXPECT_EQ(input.name, "bob1");
  EXPECT_EQ(input.key.reveal(), "sk-x");
  for (const char* body : {"", "{}", R"({"confirm":"2026-11-24-ROTATE-ROOT"})", R"({"confirm":true})"}) {
    try {
      read_rotation(body, day, true);
      ADD_FAILURE() << body;
    } catch (const Refused& refused) {
      EXPECT_EQ(refused.error().param, "confirm");
    }
  }
  EXPECT_THROW(read_rotation(R"({"confirm":"2026-11-25-ROTATE-ROOT","name":"bob1"})", day, false), Refused);
}

}  // namespace
}  // namespace proxyxai
