#include <gmock/gmock.h>

#include "admin/api_fixture.hpp"

namespace proxyxai {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

class UsagePages : public ApiTest {
 protected:
  AccountPtr parent = add(root, "parent", 1'000), child = add(parent, "child", 100), stranger = add(root, "stranger", 100);
  std::vector<std::string> ids(const Answer& list) {
    std::vector<std::string> result;
    for (const json& each : list["data"]) result.push_back(each.at("request_id"));
    return result;
  }
};

TEST_F(UsagePages, Info) {
  world.use(child, dollars(3));
  world.clock.advance(std::chrono::hours(24));
  world.use(child, dollars(2));
  const Answer info = get(child, "/dashboard/x_user/info");
  EXPECT_EQ(names_of(info.body),
            "abort_policy alias allow_ips allow_models balance billing_email child concurrency create_at credit_balance credit_used daily_usage dna email "
            "fees hard_limit id level minimums model_limits monthly_usage name partial_key rate_limit rates requests resources rpd rph rpm soft_limit status tpd tph tpm");
  EXPECT_EQ(info["fees"], json({{"transaction", 0.2}, {"listing", 0.002}}));
  EXPECT_EQ(get(root, "/dashboard/x_user/info")["fees"], json({{"transaction", 0.0}, {"listing", 0.0}}));
  EXPECT_EQ(info["minimums"], json({{"call", 1.0}, {"user", 2.0}, {"manage", 20.0}}));
  EXPECT_EQ(info["balance"], 95);
  EXPECT_EQ(info["credit_used"], 5);
  EXPECT_EQ(info["requests"], 2);
  EXPECT_EQ(info["daily_usage"], json({{"CreditUsed", 2.0}, {"Requests", 1}, {"PromptTokens", 100}, {"CompletionTokens", 10}}));
  EXPECT_EQ(info["monthly_usage"], json({{"CreditUsed", 5.0}, {"Requests", 2}, {"PromptTokens", 200}, {"CompletionTokens", 20}}));
  const json& card = info["credit_balance"][0];
  EXPECT_EQ(names_of(card), "amount balance expires_at granted_at reference");
  EXPECT_EQ(card["amount"], 100);
  EXPECT_EQ(card["balance"], 95);
  EXPECT_EQ(get(child, "/dashboard/x-user-info").body, info.body);
}

TEST_F(UsagePages, Status) {
  const Answer poor = get(child, "/dashboard/x-user-status");
  EXPECT_EQ(names_of(poor.body), "balance dna email id manage name object");
  EXPECT_EQ(poor["object"], "user_status");
  EXPECT_EQ(poor["manage"], true);
  world.use(child, dollars(90));
  EXPECT_EQ(get(child, "/dashboard/x-user-status")["manage"], false);
  EXPECT_EQ(get(child, "/dashboard/x-user-status")["balance"], 10) << "before anything is taken in";
}

TEST_F(UsagePages, Logs) {
  put(parent, path(child), {{"Alias", "x"}});
  const Answer own = get(child, "/dashboard/x-user-logs");
  EXPECT_EQ(names_of(own["data"][0]), "action actor_id details id target_id time");
  EXPECT_EQ(own["data"].size(), 2u);
  EXPECT_EQ(own["data"][0]["action"], "update");
  EXPECT_EQ(own["data"][0]["details"]["Alias"], "x");
  EXPECT_EQ(own["data"][0]["actor_id"], parent->row.id);
  EXPECT_EQ(get(parent, "/dashboard/x-user-logs")["data"].size(), 3u) << "by it and on it";
  EXPECT_EQ(get(parent, "/dashboard/x-user-logs?action=add&target_id=" + std::to_string(child->row.id))["data"].size(), 1u);
  const Answer page = get(parent, "/dashboard/x-user-logs?size=2");
  EXPECT_EQ(page["has_more"], true);
  EXPECT_EQ(get(parent, "/dashboard/x-user-logs?size=2&page=2")["data"].size(), 1u);
  EXPECT_EQ(get(stranger, "/dashboard/x-user-logs")["data"].size(), 1u);
}

TEST_F(UsagePages, RequestsPageByPage) {
  for (int i = 0; i < 5; ++i) {
    world.use(i % 2 == 0 ? child : parent, {1'500'000}, i == 3 ? "gpt-4.1" : "gpt-4o", "req_" + std::to_string(i));
    world.use(stranger, {1}, "gpt-4o", "secret");
    world.clock.advance(std::chrono::hours(24));
  }
  const Answer all = get(parent, "/x-requests");
  EXPECT_EQ(names_of(all.body), "data has_more next object");
  EXPECT_THAT(ids(all), ElementsAre("req_4", "req_3", "req_2", "req_1", "req_0"));
  EXPECT_EQ(all["has_more"], false);
  EXPECT_TRUE(all["next"].is_null());
  const json& row = all["data"][0];
  EXPECT_EQ(names_of(row),
            "attempts cached_tokens completion_tokens cost duration_ms estimated first_byte_ms id model path prompt_tokens request_id status stream time "
            "user user_id");
  EXPECT_EQ(row["user"], "child");
  EXPECT_EQ(row["model"], "gpt-4o");
  EXPECT_EQ(row["path"], "/v1/chat/completions");
  EXPECT_EQ(row["cost"], 0.0015);
  EXPECT_EQ(row["cached_tokens"], 40);
  EXPECT_EQ(row["time"], "2027-01-19T08:00:00+00:00");
  Answer page = get(parent, "/x-requests?size=2");
  EXPECT_THAT(ids(page), ElementsAre("req_4", "req_3"));
  EXPECT_EQ(page["has_more"], true);
  page = get(parent, "/x-requests?size=2&after=" + page["next"].get<std::string>());
  EXPECT_THAT(ids(page), ElementsAre("req_2", "req_1"));
  page = get(parent, "/x-requests?size=2&after=" + page["next"].get<std::string>());
  EXPECT_THAT(ids(page), ElementsAre("req_0"));
  EXPECT_EQ(page["has_more"], false);
  EXPECT_THAT(ids(get(parent, "/x-requests?size=2&page=2")), ElementsAre("req_2", "req_1"));
  EXPECT_THAT(ids(get(parent, "/x-requests?model=gpt-4.1")), ElementsAre("req_3"));
  EXPECT_THAT(ids(get(parent, "/x-requests?user=child")), ElementsAre("req_4", "req_2", "req_0"));
  EXPECT_THAT(ids(get(parent, "/x-requests?start=2027-01-16&end=2027-01-17")), ElementsAre("req_2", "req_1")) << "the last day is in it";
  EXPECT_THAT(ids(get(parent, "/x-requests?start=2027-01-16T08:00:00Z&end=2027-01-17T09:00:00+01:00")), ElementsAre("req_1")) << "the last moment is not";
  EXPECT_THAT(ids(get(child, "/x-requests")), ElementsAre("req_4", "req_2", "req_0"));
  EXPECT_EQ(get(root, "/x-requests?size=1")["data"][0].contains("key_id"), true) << "the operator's own";
}

TEST_F(UsagePages, FaultsInQueriesNameTheParameter) {
  for (const char* query : {"start=yesterday", "end=2027-02-30", "start=2027-01-16T25:00:00Z", "end=2027-01-16T00:00:00", "after=x", "after=0", "size=1001"}) {
    const std::string name = std::string(query).substr(0, std::string(query).find('='));
    EXPECT_EQ(get(parent, std::string("/x-requests?") + query).error(), "invalid_value " + name) << query;
  }
  EXPECT_EQ(get(parent, "/x-requests?user=stranger").error(), "account_not_found user");
  EXPECT_EQ(get(parent, "/x-bill?user=root").error(), "account_not_found user");
  EXPECT_EQ(get(parent, "/x-bill?date=2027-01-01&days=3").error(), "invalid_value days");
  EXPECT_EQ(get(parent, "/x-bill?start=2027-01-02&end=2027-01-01").error(), "invalid_value end");
  EXPECT_EQ(get(parent, "/x-bill?start=2025-01-02&end=2027-01-01").error(), "invalid_value start");
  EXPECT_EQ(get(parent, "/x-bill?days=0").error(), "invalid_value days");
  EXPECT_EQ(get(parent, "/dashboard/billing/usage?start_date=2025-01-01&end_date=2027-01-01").error(), "invalid_value start_date");
}

TEST_F(UsagePages, Bill) {
  world.use(child, dollars(3));
  world.use(parent, dollars(1), "gpt-4.1");
  world.use(stranger, dollars(50));
  world.clock.advance(std::chrono::hours(24));
  world.use(child, dollars(2));
  const Answer bill = get(parent, "/x-bill");
  EXPECT_EQ(names_of(bill.body), "data object total_usage usage_users");
  ASSERT_EQ(bill["data"].size(), 2u);
  const json& day = bill["data"][0];
  EXPECT_EQ(names_of(day),
            "aggregation_timestamp cost date n_cached_tokens_total n_context_tokens_total n_generated_tokens_total n_requests usage_details");
  EXPECT_EQ(day["date"], "2027-01-15");
  EXPECT_EQ(day["aggregation_timestamp"], 1'799'971'200);
  EXPECT_EQ(day["n_requests"], 2);
  EXPECT_EQ(day["n_context_tokens_total"], 200);
  EXPECT_EQ(day["usage_details"]["gpt-4o"], json({{"requests", 1}, {"prompt", 100}, {"cached", 40}, {"completion", 10}, {"cost", 3.0}}));
  EXPECT_EQ(bill["total_usage"], json({{"requests", 3}, {"cost", 6.0}}));
  EXPECT_EQ(bill["usage_users"][0], json({{"id", child->row.id}, {"name", "child"}, {"email", "child@example.com"}, {"total_requests", 2}, {"total_cost", 5.0}}));
  EXPECT_EQ(get(parent, "/x-bill?user=child")["total_usage"]["cost"], 5);
  EXPECT_EQ(get(parent, "/x-bill?date=2027-01-16")["total_usage"]["cost"], 2);
  EXPECT_EQ(get(parent, "/x-bill?days=1")["total_usage"]["cost"], 2);
  EXPECT_EQ(get(parent, "/x-bill?start=2027-01-15&days=1")["total_usage"]["cost"], 4);
  EXPECT_EQ(get(parent, "/x-bill?start=2027-01-01&end=2027-01-14")["data"].size(), 0u);
  EXPECT_EQ(get(root, "/x-bill")["total_usage"]["cost"], 56);
  EXPECT_EQ(get(child, "/x-bill")["total_usage"]["cost"], 5);
}

TEST_F(UsagePages, WhatIsLeftComesOutRightInOldClients) {
  world.use(child, {12'345'600'000});
  for (const std::string prefix : {"/dashboard/billing/", "/v1/dashboard/billing/"}) {
    const Answer subscription = get(child, prefix + "subscription");
    EXPECT_EQ(names_of(subscription.body), "access_until canceled hard_limit_usd has_payment_method object soft_limit_usd system_hard_limit_usd");
    EXPECT_EQ(subscription["hard_limit_usd"], 100);
    EXPECT_EQ(subscription["access_until"], 1'800'000'000 + 365 * 86'400);
    const Answer usage = get(child, prefix + "usage?start_date=2027-01-01&end_date=2027-01-31");
    EXPECT_EQ(names_of(usage.body), "daily_costs object total_usage");
    EXPECT_THAT(usage["total_usage"].get<double>(), DoubleEq(1'234.56));
    EXPECT_EQ(usage["daily_costs"][0], json({{"timestamp", 1'799'971'200.0}, {"line_items", {{{"name", "gpt-4o"}, {"cost", 1'234.56}}}}}));
    EXPECT_THAT(subscription["hard_limit_usd"].get<double>() - usage["total_usage"].get<double>() / 100, DoubleEq(to_dollars(child->balance())));
    const Answer grants = get(child, prefix + "credit_grants");
    EXPECT_EQ(names_of(grants.body), "grants object total_available total_granted total_used");
    EXPECT_EQ(grants["total_granted"], 100);
    EXPECT_EQ(grants["total_used"], 12.3456);
    EXPECT_EQ(grants["total_available"], 87.6544);
    EXPECT_EQ(grants["grants"]["data"][0]["used_amount"], 12.3456);
  }
  world.clock.advance(std::chrono::hours(24 * 31));
  world.tick();
  const Answer subscription = get(child, "/dashboard/billing/subscription"), usage = get(child, "/dashboard/billing/usage");
  EXPECT_EQ(subscription["hard_limit_usd"].get<double>() - usage["total_usage"].get<double>() / 100, 87.6544) << "in another month";
  EXPECT_EQ(get(root, "/dashboard/billing/subscription")["hard_limit_usd"], 100'000'000) << "root has no end";
}

TEST_F(UsagePages, PricesAreForAll) { EXPECT_EQ(get(child, "/x-prices").text, R"({"prices":[]})"); }

TEST_F(UsagePages, WhatADeletedAccountUsedStaysWithItsParent) {
  world.use(child, dollars(3));
  call(parent, "DELETE", path(child));
  EXPECT_EQ(get(parent, "/x-bill")["total_usage"]["cost"], 3);
  EXPECT_EQ(get(parent, "/x-requests")["data"].size(), 1u);
}

/// Every path with every method, by a child key: what is not its own it neither sees nor changes.
TEST_F(UsagePages, NobodySeesOrChangesWhatIsNotItsOwn) {
  const AccountPtr grandchild = add(child, "grandchild", 10);
  world.use(stranger, dollars(1), "gpt-4o", "req_stranger");
  world.use(parent, dollars(1), "gpt-4o", "req_parent");
  const std::int64_t operations = world.number("SELECT COUNT(*) FROM operations"), transfers = world.number("SELECT COUNT(*) FROM transfers");
  for (const AccountPtr& foreign : {root, parent, stranger}) {
    const std::string id = std::to_string(foreign->row.id);
    for (const std::string& who : {id, foreign->row.name, foreign->row.email}) {
      for (const char* place : {"/x-users/", "/x-dna/"}) EXPECT_EQ(get(child, place + who).status, 404u) << place << who;
      EXPECT_EQ(put(child, "/x-users/" + who, {{"Alias", "mine"}}).status, 404u) << who;
      EXPECT_EQ(put(child, "/x-users/" + who, {{"CreditGranted", -1}}).status, 404u) << who;
      EXPECT_EQ(call(child, "POST", "/x-users/" + who, R"({"Status":false})").status, 404u) << who;
      EXPECT_EQ(call(child, "DELETE", "/x-users/" + who).status, 404u) << who;
      EXPECT_EQ(get(child, "/x-requests?user=" + who).status, 404u) << who;
      EXPECT_EQ(get(child, "/x-bill?user=" + who).status, 404u) << who;
    }
    for (const char* query : {"?id=", "?name=", "?email="}) {
      const std::string value = query == std::string("?id=") ? id : query == std::string("?name=") ? foreign->row.name : foreign->row.email;
      for (const char* place : {"/x-users", "/x-dna"}) EXPECT_EQ(get(child, place + (query + value)).text, "[]") << place << query << value;
    }
  }
  for (const char* page : {"/x-users", "/x-dna", "/x-requests", "/x-bill", "/dashboard/x_user/info", "/dashboard/x-user-status", "/dashboard/billing/usage"}) {
    const std::string text = get(child, page).text;
    for (const char* foreign : {"stranger", "req_parent", "parent@"}) EXPECT_EQ(text.find(foreign), text.npos) << page << ": " << text;
  }
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM operations"), operations);
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM transfers WHERE kind <> 'fee'"), transfers);
  EXPECT_TRUE(stranger->row.enabled && parent->row.enabled && root->row.enabled);
}

}  // namespace
}  // namespace proxyxai
