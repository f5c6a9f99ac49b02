#include <gmock/gmock.h>

#include "admin/api_fixture.hpp"
#include "proxyxai/accounts/virtual_key.hpp"

namespace proxyxai {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* row_names =
    "AbortPolicy Alias AllowIPs AllowModels Balance BillingEmail Child ChildLimit Concurrency CreatedAt CreditBalance CreditGranted CreditUsed DNA "
    "Email HardLimit ID Level ModelLimits Name PartialKey RPD RPH RPM RateLimit Rates Requests Resources SecretKey SoftLimit Status TPD TPH TPM "
    "UpdatedAt";

std::vector<std::string> names(const Answer& list) {
  std::vector<std::string> result;
  for (const json& each : list.body) result.push_back(each.at("Name"));
  return result;
}

TEST_F(ApiTest, AddsAnAccountAndShowsItsKeyOnce) {
  const Answer answer = post(root, "/x-users", {{"Name", "alice"}, {"Email", "alice@example.com"}, {"CreditGranted", 120.5}, {"Alias", "Al"}});
  ASSERT_EQ(answer.status, 200u) << answer.text;
  EXPECT_EQ(names_of(answer.body), "Action Parent User");
  EXPECT_EQ(answer["Action"], "add");
  EXPECT_EQ(names_of(answer["Parent"]), "Balance Child ChildLimit CreditBalance HardLimit ID Level Name RPM RateLimit Rates SoftLimit");
  EXPECT_EQ(answer["Parent"]["Child"], 1);
  const json& user = answer["User"];
  EXPECT_EQ(names_of(user), "Alias ID Name SecretKey Updates");
  EXPECT_EQ(user["Alias"], "Al");
  const std::string key = user["SecretKey"];
  EXPECT_TRUE(is_virtual_key(key)) << key;
  EXPECT_EQ(user["Updates"]["PartialKey"], key.substr(31));
  EXPECT_EQ(user["Updates"]["Balance"], 120.5);
  EXPECT_EQ(user["Updates"]["HardLimit"], 200);
  EXPECT_EQ(user["Updates"]["SoftLimit"], 160);
  EXPECT_EQ(user["Updates"]["Status"], true);
  EXPECT_EQ(user["Updates"]["DNA"], ".1.2.");
  EXPECT_EQ(by_key(key)->row.name, "alice");
  const Answer listed = get(root, "/x-users");
  EXPECT_THAT(listed.text, Not(HasSubstr(key)));
  EXPECT_EQ(names_of(listed.body.at(0)), row_names);
  EXPECT_EQ(listed.body.at(0)["SecretKey"], "***");
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM operations WHERE details LIKE '%sk-Xvs%'"), 0);
}

TEST_F(ApiTest, WhatAnAccountMustHave) {
  const json whole = {{"Name", "alice"}, {"Email", "alice@example.com"}, {"CreditGranted", 10}};
  for (const char* field : {"Name", "Email", "CreditGranted"}) {
    json part = whole;
    part.erase(field);
    EXPECT_EQ(post(root, "/x-users", part).error(), "invalid_value " + std::string(field));
  }
  const auto with = [&](const char* field, const json& value) {
    json changed = whole;
    changed[field] = value;
    return post(root, "/x-users", changed).error();
  };
  for (const char* name : {"abc", "1234", "al ice", "alice!", "älice", "", "../root"}) EXPECT_EQ(with("Name", name), "invalid_value Name") << name;
  EXPECT_EQ(with("Name", std::string(64, 'a')), "invalid_value Name");
  for (const char* mail : {"alice", "@example.com", "alice@", "a@b@c", "alice@exa mple.com", "alice@example..com", "a\r\nBcc: x@example.com"}) {
    EXPECT_EQ(with("Email", mail), "invalid_value Email") << mail;
  }
  for (const double credit : {1.99, 0.0, -5.0}) EXPECT_EQ(with("CreditGranted", credit), "invalid_value CreditGranted");
  EXPECT_EQ(with("HardLimit", -1), "invalid_value HardLimit");
  EXPECT_EQ(with("SoftLimit", -1), "invalid_value SoftLimit");
  EXPECT_EQ(with("RPM", -1), "invalid_value RPM");
  EXPECT_EQ(with("AllowIPs", "10.0.0.0/40"), "invalid_value AllowIPs");
  EXPECT_EQ(with("AllowModels", "a*b"), "invalid_value AllowModels");
  EXPECT_EQ(with("Resources", "chat"), "invalid_value Resources");
  EXPECT_EQ(with("ModelLimits", {{"gpt-4o", {{"rpx", 1}}}}), "invalid_value ModelLimits");
  EXPECT_EQ(with("ModelLimits", {{"gpt-4o", {{"rpm", -1}}}}), "invalid_value ModelLimits");
  EXPECT_EQ(with("Rates", 0.5), "invalid_value Rates");
  EXPECT_EQ(with("Alias", std::string(201, 'x')), "invalid_value Alias");
  EXPECT_EQ(with("ID", 7), "not_settable ID");
  EXPECT_EQ(names(get(root, "/x-users")).size(), 0u) << "nothing of a refused call is stored";
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM transfers"), 0);
}

TEST_F(ApiTest, NamesAndMailsAreOnesOwn) {
  add(root, "alice", 10);
  EXPECT_EQ(post(root, "/x-users", {{"Name", "ALICE"}, {"Email", "b@example.com"}, {"CreditGranted", 10}}).error(), "already_taken Name");
  const Answer taken = post(root, "/x-users", {{"Name", "bob1"}, {"Email", "ALICE@example.com"}, {"CreditGranted", 10}});
  EXPECT_EQ(taken.error(), "already_taken Email");
  EXPECT_EQ(taken.status, 409u);
  const AccountPtr bob = add(root, "bobby", 10);
  EXPECT_EQ(put(root, path(bob), {{"Name", "alice"}}).error(), "already_taken Name");
  EXPECT_EQ(put(root, path(bob), {{"Name", "root"}}).error(), "already_taken Name");
  EXPECT_EQ(put(root, path(bob), {{"Name", "bobby"}, {"Email", "bobby@example.com"}}).status, 200u) << "its own";
}

TEST_F(ApiTest, ADeletedNameIsFreeAndItsKeyStops) {
  const Answer first = post(root, "/x-users", {{"Name", "alice"}, {"Email", "alice@example.com"}, {"CreditGranted", 10}});
  const std::string key = first["User"]["SecretKey"];
  ASSERT_NE(by_key(key), nullptr);
  const Answer gone = call(root, "DELETE", "/x-users/alice@example.com");
  EXPECT_EQ(gone.status, 200u);
  EXPECT_EQ(gone["User"]["Name"], "alice");
  EXPECT_EQ(by_key(key), nullptr);
  EXPECT_EQ(get(root, "/x-users/alice").status, 404u);
  EXPECT_EQ(call(root, "DELETE", "/x-users/alice").error(), "account_not_found id");
  const AccountPtr again = add(root, "alice", 10);
  EXPECT_NE(again->row.id, first["User"]["ID"].get<AccountId>());
}

TEST_F(ApiTest, ChildrenAreDeletedFirst) {
  const AccountPtr parent = add(root, "parent", 100), child = add(parent, "child", 10);
  const Answer refused = call(root, "DELETE", path(parent));
  EXPECT_EQ(refused.status, 409u);
  EXPECT_EQ(refused.error(), "has_children");
  EXPECT_TRUE(parent->row.enabled) << "a refused deletion stops no key";
  EXPECT_EQ(call(parent, "DELETE", path(child)).status, 200u);
  EXPECT_EQ(call(root, "DELETE", path(parent)).status, 200u);
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM cards"), 0);
}

TEST_F(ApiTest, LooksUpByIdNameAndMail) {
  const AccountPtr child = add(root, "child", 10);
  for (const std::string& who : {std::to_string(child->row.id), std::string("child"), std::string("child%40example.com"), std::string("child@example.com")}) {
    EXPECT_EQ(get(root, "/x-users/" + who).body.value("Name", ""), "child") << who;
    EXPECT_EQ(get(root, "/x-dna/" + who).body.value("Name", ""), "child") << who;
    EXPECT_EQ(put(root, "/x-users/" + who, {{"Alias", "x"}}).status, 200u) << who;
  }
  for (const char* who : {"0", "-1", "4711", "99999999999999999999", "chil", "child'--", "%00", "*", "child/x"}) {
    EXPECT_EQ(get(root, "/x-users/" + std::string(who)).status, 404u) << who;
    EXPECT_EQ(put(root, "/x-users/" + std::string(who), {{"Alias", "y"}}).status, 404u) << who;
    EXPECT_EQ(call(root, "DELETE", "/x-users/" + std::string(who)).status, 404u) << who;
  }
}

TEST_F(ApiTest, ListsPageByPageAndByField) {
  for (int i = 0; i < 5; ++i) add(root, "user" + std::to_string(i), 10);
  EXPECT_THAT(names(get(root, "/x-users/")), ElementsAre("user4", "user3", "user2", "user1", "user0"));
  EXPECT_THAT(names(get(root, "/x-users?size=2")), ElementsAre("user4", "user3"));
  EXPECT_THAT(names(get(root, "/x-users?size=2&page=3")), ElementsAre("user0"));
  EXPECT_THAT(names(get(root, "/x-users?size=2&page=4")), ElementsAre());
  EXPECT_THAT(names(get(root, "/x-users?name=user3")), ElementsAre("user3"));
  EXPECT_THAT(names(get(root, "/x-users?email=user3%40example.com&name=")), ElementsAre("user3"));
  EXPECT_THAT(names(get(root, "/x-users?id=2")), ElementsAre("user0"));
  EXPECT_THAT(names(get(root, "/x-users?id=99")), ElementsAre());
  for (const char* query : {"size=0", "size=1001", "size=x", "size=1.5", "page=0", "page=-1", "id=0", "id=x", "page=99999999999999999999"}) {
    const std::string name = std::string(query).substr(0, std::string(query).find('='));
    EXPECT_EQ(get(root, std::string("/x-users?") + query).error(), "invalid_value " + name) << query;
  }
  EXPECT_EQ(get(root, "/x-users?size=1&size=2").error(), "invalid_value size");
  EXPECT_EQ(get(root, "/x-users?sort=x").error(), "unknown_field sort");
}

TEST_F(ApiTest, DescendantsAreOneselfsOwn) {
  const AccountPtr a = add(root, "aaaa", 1'000), b = add(root, "bbbb", 1'000);
  const AccountPtr a1 = add(a, "aaaa1", 200), a11 = add(a1, "aaaa11", 50);
  EXPECT_THAT(names(get(a, "/x-users")), ElementsAre("aaaa1"));
  EXPECT_THAT(names(get(a, "/x-dna")), ElementsAre("aaaa11", "aaaa1"));
  EXPECT_THAT(names(get(root, "/x-dna")), ElementsAre("aaaa11", "aaaa1", "bbbb", "aaaa"));
  EXPECT_THAT(names(get(b, "/x-dna")), ElementsAre());
  EXPECT_EQ(get(a, "/x-dna/aaaa11").body["Level"], 3);
  EXPECT_EQ(get(a, "/x-users/aaaa11").status, 404u) << "not a child";
  EXPECT_EQ(put(a, "/x-users/aaaa11", {{"CreditGranted", 5}}).status, 200u) << "but a descendant";
  EXPECT_EQ(a11->balance(), dollars(55));
  EXPECT_EQ(call(a, "POST", "/x-dna", "{}").header("Allow"), "GET");
}

TEST_F(ApiTest, UpdatesSayWhatIsStored) {
  const AccountPtr child = add(root, "child", 10);
  const Answer answer = call(root, "POST", path(child), R"({"Alias":"x","RPM":60,"AllowIPs":["10.0.0.0/8","::1"],"AllowModels":"gpt-4o gpt-4.1*",
    "Resources":"/v1/chat/completions","ModelLimits":{"gpt-4o":{"rpm":30,"tpm":90000}},"AbortPolicy":"drain","Status":false})");
  ASSERT_EQ(answer.status, 200u) << answer.text;
  EXPECT_EQ(answer["Action"], "update");
  EXPECT_EQ(names_of(answer["User"]), "ID Name Updates");
  const json& updates = answer["User"]["Updates"];
  EXPECT_EQ(names_of(updates), "AbortPolicy Alias AllowIPs AllowModels ModelLimits RPM RateLimit Resources Status UpdatedAt");
  EXPECT_EQ(updates["AllowIPs"], "10.0.0.0/8 ::1");
  EXPECT_EQ(updates["RateLimit"], 60);
  EXPECT_EQ(updates["ModelLimits"]["gpt-4o"]["tpm"], 90'000);
  EXPECT_FALSE(child->row.enabled);
  const Answer denied = put(root, path(child), {{"DenyIPs", "::1"}, {"DenyModels", "gpt-4o"}, {"ModelLimits", json::object()}});
  EXPECT_EQ(denied["User"]["Updates"]["AllowIPs"], "10.0.0.0/8");
  EXPECT_EQ(denied["User"]["Updates"]["AllowModels"], "gpt-4.1*");
  EXPECT_EQ(denied["User"]["Updates"]["ModelLimits"], json::object());
  EXPECT_EQ(put(root, path(child), {{"AllowIPs", "*"}})["User"]["Updates"]["AllowIPs"], "*");
}

TEST_F(ApiTest, AnUpdateIsDoneWholeOrNotAtAll) {
  const AccountPtr parent = add(root, "parent", 100), child = add(parent, "child", 10);
  const std::int64_t transfers = world.number("SELECT COUNT(*) FROM transfers");
  for (const json& change : {json{{"Alias", "new"}, {"CreditGranted", 1'000}}, json{{"CreditGranted", 5}, {"Name", "parent"}},
                             json{{"Rates", 2}, {"CreditGranted", -1'000}}, json{{"CreditGranted", 5}, {"RPM", -1}}}) {
    EXPECT_GE(put(parent, path(child), change).status, 400u) << change;
  }
  const Answer row = get(parent, "/x-users/child");
  EXPECT_EQ(row["Alias"], "");
  EXPECT_EQ(row["Balance"], 10);
  EXPECT_EQ(row["Rates"], 1);
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM transfers"), transfers);
  EXPECT_EQ(parent->held, Money{});
  EXPECT_EQ(child->held, Money{});
}

TEST_F(ApiTest, LimitsAreNeverAboveTheParents) {
  const AccountPtr parent = add(root, "parent", 1'000, {{"RPM", 100}, {"TPM", 1'000}, {"Concurrency", 5}});
  const AccountPtr child = add(parent, "child", 100);
  EXPECT_EQ(child->row.limits, parent->row.limits) << "the parent's are the default";
  EXPECT_EQ(put(parent, path(child), {{"RPM", 101}}).error(), "invalid_value RPM");
  EXPECT_EQ(put(parent, path(child), {{"RPM", 0}}).error(), "invalid_value RPM") << "no limit is above a limit";
  EXPECT_EQ(put(parent, path(child), {{"RateLimit", 100}, {"RPH", 0}}).status, 200u);
}

TEST_F(ApiTest, TakesBackWhatIsThereAndNotPromised) {
  const AccountPtr parent = add(root, "parent", 1'000), child = add(parent, "child", 100);
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", -100.000000001}}).error(), "invalid_value CreditGranted");
  child->held = dollars(30);
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", -80}}).error(), "invalid_value CreditGranted");
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", -70}}).status, 200u);
  child->held = {};
  world.use(child, dollars(10));
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", -20.5}}).error(), "invalid_value CreditGranted") << "used is not there, though not taken in yet";
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", -20}})["User"]["Updates"]["Balance"], 0);
}

TEST_F(ApiTest, GrantsNoMoreThanThereIs) {
  const AccountPtr parent = add(root, "parent", 100), child = add(parent, "child", 10);
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", 90.01}}).error(), "insufficient_balance CreditGranted");
  parent->held = dollars(50);
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", 41}}).error(), "insufficient_balance CreditGranted") << "promised to requests in flight";
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", 40}}).status, 200u);
  parent->held = {};
  EXPECT_EQ(parent->balance(), dollars(50));
}

TEST_F(ApiTest, BalancesAreBounded) {
  const AccountPtr child = add(root, "child", 100'000'000);
  EXPECT_EQ(put(root, path(child), {{"CreditGranted", 1}}).error(), "invalid_value CreditGranted");
  EXPECT_EQ(put(root, path(child), {{"Rates", 1'000}}).error(), "invalid_value Rates");
}

TEST_F(ApiTest, WhoMayManage) {
  const AccountPtr poor = add(root, "poor", 20), rich = add(root, "rich", 20.01);
  for (const char* target : {"/x-users", "/x-dna", "/x-users/rich", "/x-dna/rich"}) {
    const Answer answer = get(poor, target);
    EXPECT_EQ(answer.status, 401u) << target;
    EXPECT_EQ(answer.error(), "insufficient_balance_for_management");
    EXPECT_NE(get(rich, target).status, 401u) << target;
  }
  EXPECT_EQ(post(poor, "/x-users", {{"Name", "kids"}, {"Email", "k@example.com"}, {"CreditGranted", 5}}).status, 401u);
  EXPECT_EQ(call(poor, "DELETE", "/x-users/rich").status, 401u);
}

TEST_F(ApiTest, AnAccountChangesOfItselfItsAliasAndBillingAddressOnly) {
  const AccountPtr poor = add(root, "poor", 5);
  const Answer changed = put(poor, path(poor), {{"Alias", "me"}, {"BillingEmail", "bills@example.com"}});
  EXPECT_EQ(changed.status, 200u) << changed.text;
  EXPECT_EQ(changed["User"]["Updates"]["BillingEmail"], "bills@example.com");
  for (const json& change : {json{{"CreditGranted", 5}}, json{{"Status", true}}, json{{"HardLimit", 9}}, json{{"Alias", "x"}, {"RPM", 0}}, json{{"Name", "other"}},
                             json{{"AllowIPs", "*"}}, json{{"Rates", 1}}, json{{"Email", "x@example.com"}}}) {
    EXPECT_EQ(put(poor, path(poor), change).error(), "not_yours_to_change") << change;
    EXPECT_EQ(put(poor, "/x-users/poor", change).status, 403u) << change;
  }
  EXPECT_EQ(call(root, "DELETE", "/x-users/root").error(), "not_yours_to_change");
  EXPECT_EQ(put(root, "/x-users/root", {{"CreditGranted", 5}}).status, 403u);
}

TEST_F(ApiTest, AnAccountMakesSoManyChangesAMinute) {
  const AccountPtr alice = add(root, "alice", 5), bob = add(root, "bobby", 5);
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(put(alice, path(alice), {{"Alias", "x"}}).status, 200u);
    ASSERT_EQ(post(alice, "/x-self", {{"confirm", "no"}}).status, 400u);
  }
  world.clock.advance(seconds(20));
  for (const auto& [method, target] : {std::pair("PUT", path(alice)), std::pair("POST", std::string("/x-users")), std::pair("DELETE", path(bob)),
                                       std::pair("POST", std::string("/x-self"))}) {
    const Answer refused = call(alice, method, target, "{}", "key");
    EXPECT_EQ(refused.status, 429u) << method << target;
    EXPECT_EQ(refused.error(), "rate_limit_exceeded");
    EXPECT_EQ(refused.header("retry-after"), "40");
    EXPECT_THAT(refused.message(), HasSubstr("600 changes of accounts per minute. Please try again in 40s."));
  }
  EXPECT_EQ(get(alice, "/dashboard/x_user/info").status, 200u);
  EXPECT_EQ(put(bob, path(bob), {{"Alias", "x"}}).status, 200u) << "another account";
  world.clock.advance(seconds(40));
  EXPECT_EQ(put(alice, path(alice), {{"Alias", "x"}}).status, 200u);
  for (int i = 0; i < 610; ++i) ASSERT_EQ(put(root, path(alice), {{"Alias", "x"}}).status, 200u) << "root";
}

TEST_F(ApiTest, TheNumberOfChildrenIsBounded) {
  const AccountPtr parent = add(root, "parent", 1'000);
  parent->row.child_limit = 1;
  world.run(world.store.transact([row = parent->row](AccountTransaction& transaction) { transaction.update(row); }));
  add(parent, "first", 10);
  EXPECT_EQ(post(parent, "/x-users", {{"Name", "second"}, {"Email", "s@example.com"}, {"CreditGranted", 10}}).error(), "child_limit_reached");
}

TEST_F(ApiTest, MethodsAndMediaTypes) {
  EXPECT_EQ(call(root, "PUT", "/x-users", "{}").header("Allow"), "GET, POST");
  EXPECT_EQ(call(root, "PUT", "/x-users", "{}").status, 405u);
  EXPECT_EQ(call(root, "OPTIONS", "/x-users/1").status, 405u);
  EXPECT_EQ(call(root, "GET", "/x-self").header("Allow"), "POST");
  EXPECT_EQ(call(root, "POST", "/x-bill", "{}").header("Allow"), "GET");
  EXPECT_EQ(call(root, "POST", "/x-users", "{}", "", "text/plain").status, 415u);
  EXPECT_EQ(call(root, "POST", "/x-users", "{}", "", "application/json; charset=utf-8").status, 400u);
}

TEST_F(ApiTest, PathsAreExact) {
  for (const char* path : {"/x-users", "/x-users/", "/x-users/5", "/x-dna", "/x-dna/bob", "/x-self", "/x-root", "/x-requests", "/x-bill", "/x-prices",
                           "/dashboard/x_user/info", "/dashboard/x-user-info", "/dashboard/x-user-status", "/dashboard/x-user-logs",
                           "/dashboard/billing/subscription", "/v1/dashboard/billing/usage", "/dashboard/billing/credit_grants"}) {
    EXPECT_TRUE(api.owns(path)) << path;
  }
  for (const char* path : {"/x-usersx", "/X-Users", "/x-keys", "/x-self/", "/x-root/x", "/x-roots", "/dashboard", "/dashboard/", "/dashboard/billing",
                           "/dashboard/billing/usage/", "/v1/x-users", "/v1/dashboard/x-user-info", "/x-bill.", "/", ""}) {
    EXPECT_FALSE(api.owns(path)) << path;
  }
}

}  // namespace
}  // namespace proxyxai
