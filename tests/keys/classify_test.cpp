#include "proxyxai/keys/classify.hpp"

#include "proxyxai/base/clock.hpp"

#include <gtest/gtest.h>

#include <ctime>
#include <ostream>
#include <string>
#include <vector>

namespace proxyxai {
namespace {

/// `{"error":{…}}` as upstream writes it; an empty code is null.
std::string body(std::string_view type, std::string_view code, std::string_view message) {
  const std::string quoted = code.empty() ? "null" : "\"" + std::string(code) + "\"";
  return "{\n  \"error\": {\n    \"message\": \"" + std::string(message) + "\",\n    \"type\": \"" + std::string(type) +
         "\",\n    \"param\": null,\n    \"code\": " + quoted + "\n  }\n}";
}

Attempt classified(unsigned status, std::string_view text) {
  Answer answer;
  answer.status = status;
  answer.body = text;
  Attempt attempt;
  attempt.status = status;
  classify(answer, attempt);
  return attempt;
}

struct Row {
  const char* name;
  unsigned status;
  std::string body;
  Fault fault;
  std::string reason;
  Scope scope = Scope::model;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

constexpr auto invalid = "invalid_request_error";

const std::vector<Row> rows{
    {"good", 200, "{}", Fault::none, ""},
    {"created", 201, "", Fault::none, ""},
    {"switching", 101, "", Fault::none, ""},
    {"redirect", 307, body(invalid, "invalid_api_key", ""), Fault::none, ""},

    {"invalid_key", 401, body(invalid, "invalid_api_key", "Incorrect API key provided: sk-ab*cd."), Fault::dead,
     "invalid_api_key"},
    {"deactivated", 401, body(invalid, "account_deactivated", "…"), Fault::dead, "account_deactivated"},
    {"deactivated_by_type", 401, body("account_deactivated", "", "…"), Fault::dead, "account_deactivated"},
    {"terminated", 401, body(invalid, "access_terminated", "…"), Fault::dead, "access_terminated"},
    {"missing_scopes", 401,
     body(invalid, "", "You have insufficient permissions for this operation. Missing scopes: model.read"),
     Fault::no_access, "missing_scopes", Scope::endpoint},
    {"insufficient_permissions", 401, body(invalid, "", "You have insufficient permissions for this operation."),
     Fault::no_access, "missing_scopes", Scope::endpoint},
    {"no_member", 401, body(invalid, "", "You must be a member of an organization to use the API."), Fault::suspended,
     "not_in_organization"},
    {"address_by_code", 401, body(invalid, "ip_not_authorized", "…"), Fault::suspended, "ip_not_authorized"},
    {"address_by_message", 401, body(invalid, "", "Your IP address 192.0.2.7 is not authorized for this project."),
     Fault::suspended, "ip_not_authorized"},
    {"doubtful_401", 401, body(invalid, "", "Something is wrong."), Fault::no_access, invalid, Scope::endpoint},
    {"empty_401", 401, "", Fault::no_access, "http_401", Scope::endpoint},
    {"html_401", 401, "<html>invalid_api_key</html>", Fault::no_access, "http_401", Scope::endpoint},
    {"membership_is_no_address", 401, body(invalid, "", "Membership not authorized"), Fault::no_access, invalid,
     Scope::endpoint},

    {"payment_required", 402, "", Fault::exhausted, "http_402"},

    {"country", 403, body("request_forbidden", "unsupported_country_region_territory", "…"), Fault::egress,
     "unsupported_country_region_territory"},
    {"model_by_code", 403, body(invalid, "model_not_found", "…"), Fault::no_access, "model_not_found"},
    {"model_by_message", 403, body(invalid, "", "Project `proj_1` does not have access to model `gpt-5`"),
     Fault::no_access, "model_not_found"},
    {"deactivated_403", 403, body(invalid, "account_deactivated", "…"), Fault::dead, "account_deactivated"},
    {"terminated_403", 403, body("access_terminated", "", "…"), Fault::dead, "access_terminated"},
    {"missing_scopes_403", 403, body(invalid, "", "Missing scopes: api.files.write"), Fault::no_access,
     "missing_scopes", Scope::endpoint},
    {"other_403", 403, body(invalid, "content_policy", "…"), Fault::caller, "content_policy"},

    {"unknown_model", 404, body(invalid, "model_not_found", "The model `x` does not exist"), Fault::unknown_model,
     "model_not_found"},
    {"other_404", 404, body(invalid, "", "No such File object: file-1"), Fault::caller, invalid},
    {"empty_404", 404, "", Fault::caller, "http_404"},

    {"hard_limit", 400, body(invalid, "billing_hard_limit_reached", "…"), Fault::exhausted,
     "billing_hard_limit_reached"},
    {"other_400", 400, body(invalid, "context_length_exceeded", "…"), Fault::caller, "context_length_exceeded"},
    {"echoing_400", 400, body(invalid, "invalid_value", "Invalid value: 'invalid_api_key billing_hard_limit_reached'"),
     Fault::caller, "invalid_value"},
    {"echoing_json_400", 400,
     body(invalid, "invalid_value", "Got {\\\"error\\\":{\\\"code\\\":\\\"billing_hard_limit_reached\\\"}}"),
     Fault::caller, "invalid_value"},
    {"nested_code_400", 400,
     R"({"error":{"code":"bad","type":"t","message":"m","inner":{"code":"billing_hard_limit_reached"}}})",
     Fault::caller, "bad"},
    {"longer_code_400", 400, body(invalid, "billing_hard_limit_reached_not", "…"), Fault::caller,
     "billing_hard_limit_reached_not"},
    {"conflict", 409, "", Fault::caller, "http_409"},
    {"too_large", 413, "<html>413 Request Entity Too Large</html>", Fault::caller, "http_413"},
    {"media_type", 415, body(invalid, "unsupported_content_type", ""), Fault::caller, "unsupported_content_type"},
    {"unprocessable", 422, body(invalid, "insufficient_quota", ""), Fault::caller, "insufficient_quota"},
    {"timeout", 408, "", Fault::upstream, "http_408"},

    {"quota", 429, body("insufficient_quota", "insufficient_quota", "You exceeded your current quota"),
     Fault::exhausted, "insufficient_quota"},
    {"quota_by_type", 429, body("insufficient_quota", "", "…"), Fault::exhausted, "insufficient_quota"},
    {"credit", 429, body("", "credit_balance_exhausted", "…"), Fault::exhausted, "credit_balance_exhausted"},
    {"spend_organization", 429, body("", "organization_spend_limit_exceeded", "…"), Fault::exhausted,
     "organization_spend_limit_exceeded"},
    {"spend_project", 429, body("", "project_spend_limit_exceeded", "…"), Fault::exhausted,
     "project_spend_limit_exceeded"},
    {"spend_other", 429, body("", "team_spend_limit_exceeded", "…"), Fault::exhausted, "team_spend_limit_exceeded"},
    {"usage", 429, body("", "organization_usage_limit_exceeded", "…"), Fault::exhausted,
     "organization_usage_limit_exceeded"},
    {"billing", 429, body("", "billing_not_active", "…"), Fault::exhausted, "billing_not_active"},
    {"deactivated_429", 429, body("", "account_deactivated", "…"), Fault::dead, "account_deactivated"},
    {"terminated_429", 429, body("", "access_terminated", "…"), Fault::dead, "access_terminated"},
    {"large_request", 429, body("tokens", "rate_limit_exceeded", "Request too large for gpt-4o: Limit 30000"),
     Fault::caller, "rate_limit_exceeded"},
    {"tokens", 429, body("tokens", "rate_limit_exceeded", "Rate limit reached"), Fault::rate_limited,
     "rate_limit_exceeded"},
    {"slow_down_429", 429, body("requests", "slow_down", "…"), Fault::rate_limited, "slow_down"},
    {"quota_in_words", 429, body("requests", "rate_limit_exceeded", "not insufficient_quota"), Fault::rate_limited,
     "rate_limit_exceeded"},
    {"empty_429", 429, "", Fault::rate_limited, "http_429"},

    {"overloaded", 503, body("server_error", "server_is_overloaded", "…"), Fault::overloaded, "server_is_overloaded"},
    {"slow_down_503", 503, body("service_unavailable_error", "slow_down", "…"), Fault::overloaded, "slow_down"},
    {"unavailable", 503, "<html>503</html>", Fault::upstream, "http_503"},
    {"overloaded_529", 529, "", Fault::overloaded, "http_529"},
    {"server_error", 500, body("server_error", "", "The server had an error"), Fault::upstream, "server_error"},
    {"bad_gateway", 502, "<html>\r\n<head><title>502 Bad Gateway</title>", Fault::upstream, "http_502"},
    {"gateway_timeout", 504, "", Fault::upstream, "http_504"},
    {"cloudflare_520", 520, "error code: 520", Fault::upstream, "http_520"},
    {"cloudflare_526", 526, "", Fault::upstream, "http_526"},
    {"no_http", 999, "", Fault::upstream, "http_999"},

    {"cut_after_the_code", 401, R"({"error":{"code":"invalid_api_key","message":"Incorrect API k)", Fault::dead,
     "invalid_api_key"},
    {"cut_before_the_code", 401, R"({"error":{"message":"Incorrect API key invalid_api_key)", Fault::no_access,
     "http_401", Scope::endpoint},
    {"cut_in_the_code", 401, R"({"error":{"code":"invalid_api_key)", Fault::no_access, "http_401", Scope::endpoint},
    {"flat", 429, R"({"code":"insufficient_quota","message":"m"})", Fault::exhausted, "insufficient_quota"},
    {"text_error", 429, R"({"error":"insufficient_quota"})", Fault::rate_limited, "http_429"},
    {"number_code", 401, R"({"error":{"code":401,"type":"x","message":"m"}})", Fault::no_access, "x", Scope::endpoint},
    {"array_error", 401, R"({"error":["code","invalid_api_key"]})", Fault::no_access, "http_401", Scope::endpoint},
    {"array", 401, R"([{"error":{"code":"invalid_api_key"}}])", Fault::no_access, "http_401", Scope::endpoint},
    {"unfit_code", 400, body("type_1", "No\\nToken", ""), Fault::caller, "type_1"},
    {"unfit_type", 400, body("Bearer sk-1", "", ""), Fault::caller, "http_400"},
    {"long_code", 400, body("", std::string(65, 'a'), ""), Fault::caller, "http_400"},
    {"longest_code", 400, body("", std::string(64, 'a'), ""), Fault::caller, std::string(64, 'a')},
};

class Fault_of : public testing::TestWithParam<Row> {};

TEST_P(Fault_of, each_answer) {
  const Row& row = GetParam();
  Attempt attempt;
  attempt.reason = "stale";
  attempt.retry_after = seconds{7};
  attempt.fault = row.fault == Fault::none ? Fault::caller : Fault::none;
  Answer answer;
  answer.status = row.status;
  answer.body = row.body;
  classify(answer, attempt);
  EXPECT_STREQ(to_string(attempt.fault), to_string(row.fault));
  EXPECT_EQ(attempt.reason, row.reason);
  EXPECT_EQ(attempt.scope, row.scope);
  EXPECT_EQ(attempt.retry_after, std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(Rows, Fault_of, testing::ValuesIn(rows),
                         [](const auto& each) { return std::string(each.param.name); });

TEST(Classify, survives_every_cut_of_a_body) {
  const std::string whole = body("tokens", "insufficient_quota", "Please try again in 3s. \\u00e9 \xC3\xA9");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const Fault fault = classified(429, std::string_view(whole).substr(0, length)).fault;
    EXPECT_TRUE(fault == Fault::rate_limited || fault == Fault::exhausted) << length;
  }
  EXPECT_EQ(classified(429, whole).fault, Fault::exhausted);
}

TEST(Classify, survives_deep_nesting) {
  EXPECT_EQ(classified(429, std::string(65'536, '[')).fault, Fault::rate_limited);
  std::string objects;
  for (int i = 0; i < 10'000; ++i) objects += R"({"error":)";
  EXPECT_EQ(classified(401, objects).fault, Fault::no_access);
}

// When to come back.

struct Headers {
  std::string_view retry_after_ms{};
  std::string_view retry_after{};
  std::string_view reset_requests{};
  std::string_view reset_tokens{};
  std::string_view remaining_requests{};
  std::string_view remaining_tokens{};
};

std::optional<milliseconds> wait(const Headers& headers, std::string_view message = "Rate limit reached.") {
  const std::string text = body("tokens", "rate_limit_exceeded", message);
  const Answer answer{429,
                      text,
                      headers.retry_after_ms,
                      headers.retry_after,
                      headers.reset_requests,
                      headers.reset_tokens,
                      headers.remaining_requests,
                      headers.remaining_tokens};
  Attempt attempt;
  classify(answer, attempt);
  EXPECT_EQ(attempt.fault, Fault::rate_limited);
  return attempt.retry_after;
}

TEST(ComeBack, is_unknown_when_nothing_tells) {
  EXPECT_EQ(wait({}), std::nullopt);
  EXPECT_EQ(wait({.retry_after_ms = "soon", .retry_after = "-3", .reset_requests = "x", .reset_tokens = "5"}),
            std::nullopt);
}

TEST(ComeBack, is_told_by_the_sources_in_order) {
  const std::string_view message = "Please try again in 3.5s. Visit …";
  Headers answer{.retry_after_ms = "1500", .retry_after = "2", .reset_requests = "4s", .reset_tokens = "1s"};
  EXPECT_EQ(wait(answer, message), milliseconds{1500});
  answer.retry_after_ms = "";
  EXPECT_EQ(wait(answer, message), milliseconds{2000});
  answer.retry_after = "";
  EXPECT_EQ(wait(answer, message), milliseconds{3500});
  EXPECT_EQ(wait(answer), milliseconds{4000});
}

TEST(ComeBack, goes_on_to_the_next_source_when_one_is_unfit) {
  EXPECT_EQ(wait({.retry_after_ms = "1e3", .retry_after = "2"}), milliseconds{2000});
  EXPECT_EQ(wait({.retry_after = "nan"}, "try again in 20ms"), milliseconds{20});
  EXPECT_EQ(wait({.reset_tokens = "7s"}, "try again in a while"), milliseconds{7000});
}

TEST(ComeBack, reads_whole_and_fractional_numbers) {
  EXPECT_EQ(wait({.retry_after = " 20 "}), milliseconds{20'000});
  EXPECT_EQ(wait({.retry_after = "0.25"}), milliseconds{250});
  EXPECT_EQ(wait({.retry_after = "0"}), milliseconds{0});
  EXPECT_EQ(wait({.retry_after_ms = "12.2"}), milliseconds{13});
  EXPECT_EQ(wait({.retry_after = "1.2.3"}), std::nullopt);
}

TEST(ComeBack, is_within_a_day) {
  constexpr milliseconds day{24 * 3600 * 1000};
  EXPECT_EQ(wait({.retry_after = "86400"}), day);
  EXPECT_EQ(wait({.retry_after = "86401"}), day);
  const std::string endless(5000, '9');
  EXPECT_EQ(wait({.retry_after = endless}), day);
  EXPECT_EQ(wait({}, "Please try again in 9999h."), day);
  EXPECT_EQ(wait({.reset_tokens = "400d"}), day);
}

TEST(ComeBack, reads_a_date) {
  const auto date = [](int ahead) {
    const std::time_t time = std::time(nullptr) + ahead;
    std::tm parts{};
    gmtime_r(&time, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return std::string(text);
  };
  const std::string later = date(1000);
  const auto found = wait({.retry_after = later});
  ASSERT_TRUE(found);
  EXPECT_GT(*found, seconds{900});
  EXPECT_LE(*found, seconds{1000});
  const std::string past = date(-1000);
  EXPECT_EQ(wait({.retry_after = past}), milliseconds{0});
  EXPECT_EQ(wait({.retry_after = "Sun, 31 Feb 2040 08:49:37 GMT"}), std::nullopt);
  EXPECT_EQ(wait({.retry_after = "Sun, 06 Nov 2040 08:49:37 CET"}), std::nullopt);
  EXPECT_EQ(wait({.retry_after = "Sun, 06 anF 2040 08:49:37 GMT"}), std::nullopt);
}

TEST(ComeBack, is_found_in_the_message) {
  EXPECT_EQ(wait({}, "Please try again in 1.2s."), milliseconds{1200});
  EXPECT_EQ(wait({}, "Please try again in 174ms. Visit https://x.example"), milliseconds{174});
  EXPECT_EQ(wait({}, "PLEASE TRY AGAIN IN 6m0s"), milliseconds{360'000});
  EXPECT_EQ(wait({}, "try again in 1h2m3.5s, please"), milliseconds{3'723'500});
}

TEST(ComeBack, is_found_in_a_cut_body) {
  const Attempt attempt = classified(429, R"({"error":{"message":"Rate limit. Please try again in 2s. See )");
  EXPECT_EQ(attempt.retry_after, milliseconds{2000});
}

TEST(ComeBack, prefers_the_reset_of_what_is_used_up) {
  Headers answer{.reset_requests = "1s", .reset_tokens = "6m0s", .remaining_requests = "0", .remaining_tokens = "900"};
  EXPECT_EQ(wait(answer), milliseconds{1000});
  answer.remaining_tokens = "0";
  EXPECT_EQ(wait(answer), milliseconds{360'000});
  answer.remaining_requests = "3";
  EXPECT_EQ(wait(answer), milliseconds{360'000});
  answer.remaining_tokens = "3";
  EXPECT_EQ(wait(answer), milliseconds{360'000});
  answer.remaining_requests = "0";
  answer.reset_requests = "";
  EXPECT_EQ(wait(answer), milliseconds{360'000});
}

TEST(Reset, reads_the_notations) {
  EXPECT_EQ(parse_reset("1s"), milliseconds{1000});
  EXPECT_EQ(parse_reset("6m0s"), milliseconds{360'000});
  EXPECT_EQ(parse_reset("174ms"), milliseconds{174});
  EXPECT_EQ(parse_reset("1h2m3.5s"), milliseconds{3'723'500});
  EXPECT_EQ(parse_reset("1d2h"), milliseconds{93'600'000});
  EXPECT_EQ(parse_reset("1s500ms"), milliseconds{1500});
  EXPECT_EQ(parse_reset("0s"), milliseconds{0});
  EXPECT_EQ(parse_reset("0.1ms"), milliseconds{1});
  EXPECT_EQ(parse_reset("0." + std::string(350, '0') + "5m"), milliseconds{0}) << "less than any number that is known";
  EXPECT_GT(parse_reset(std::string(350, '9') + "s"), milliseconds{std::chrono::hours{24}});
}

TEST(Reset, refuses_what_is_none) {
  for (const char* text :
       {"", "s", "5", "5x", "-1s", "1s2m", "1s1s", "1 s", "1s ", "1.2.3s", ".", "1e3s", "1S", "nan"}) {
    EXPECT_EQ(parse_reset(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace proxyxai
