#include "script.hpp"

#include <map>

namespace mock {
namespace {

struct Known {
  unsigned status;
  const char* type;
  const char* code;  // null: JSON null
  const char* message;
};

/// The rows of the upstream's error table.
const std::map<std::string, Known> answers{
    {"invalid_api_key", {401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-ab**********wxyz. You can find your API key at https://platform.openai.com/account/api-keys."}},
    {"account_deactivated", {401, "invalid_request_error", "account_deactivated", "The OpenAI account associated with this API key has been deactivated."}},
    {"access_terminated", {401, "invalid_request_error", "access_terminated", "Your access was terminated."}},
    {"missing_scopes", {401, "invalid_request_error", nullptr, "You have insufficient permissions for this operation. Missing scopes: model.request."}},
    {"not_member", {401, "invalid_request_error", nullptr, "You must be a member of an organization to use the API."}},
    {"ip_not_authorized", {401, "invalid_request_error", "ip_not_authorized", "Your IP address is not authorized to use this API key."}},
    {"unsupported_country", {403, "request_forbidden", "unsupported_country_region_territory", "Country, region, or territory not supported"}},
    {"model_no_access", {403, "invalid_request_error", "model_not_found", "Project `proj_x` does not have access to model `gpt-4o`"}},
    {"model_not_found", {404, "invalid_request_error", "model_not_found", "The model `nope` does not exist or you do not have access to it."}},
    {"billing_hard_limit", {400, "invalid_request_error", "billing_hard_limit_reached", "Billing hard limit has been reached"}},
    {"insufficient_quota", {429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."}},
    {"credit_balance_exhausted", {429, "insufficient_quota", "credit_balance_exhausted", "Your credit balance is exhausted."}},
    {"organization_spend_limit_exceeded", {429, "insufficient_quota", "organization_spend_limit_exceeded", "Organization spend limit exceeded."}},
    {"project_spend_limit_exceeded", {429, "insufficient_quota", "project_spend_limit_exceeded", "Project spend limit exceeded."}},
    {"organization_usage_limit_exceeded", {429, "insufficient_quota", "organization_usage_limit_exceeded", "Organization usage limit exceeded."}},
    {"billing_not_active", {429, "billing_not_active", "billing_not_active", "Your account is not active, please check your billing details."}},
    {"rate_limit", {429, "tokens", "rate_limit_exceeded", "Rate limit reached for gpt-4o in organization org-mock on tokens per min (TPM): Limit 30000, Used 29900, Requested 500. Please try again in 3.89s."}},
    {"slow_down", {429, "requests", "slow_down", "Please slow down."}},
    {"request_too_large", {429, "tokens", "rate_limit_exceeded", "Request too large for gpt-4o in organization org-mock on tokens per min (TPM): Limit 30000, Requested 40000."}},
    {"server_is_overloaded", {503, "server_error", "server_is_overloaded", "The server is overloaded."}},
    {"http_500", {500, "server_error", nullptr, "The server had an error while processing your request."}},
    {"http_502", {502, "server_error", nullptr, "Bad gateway."}},
    {"http_503", {503, "server_error", nullptr, "Service unavailable."}},
    {"http_504", {504, "server_error", nullptr, "Gateway timeout."}},
    {"http_520", {520, "server_error", nullptr, "Web server is returning an unknown error."}},
    {"http_529", {529, "server_error", "overloaded", "Overloaded."}},
    {"bad_request", {400, "invalid_request_error", "context_length_exceeded", "This model's maximum context length is 8192 tokens."}},
    {"not_found", {404, "invalid_request_error", nullptr, "No such object."}},
    {"conflict", {409, "invalid_request_error", nullptr, "Conflict."}},
    {"payload_too_large", {413, "invalid_request_error", nullptr, "Payload too large."}},
    {"unsupported_media", {415, "invalid_request_error", nullptr, "Unsupported media type."}},
    {"unprocessable", {422, "invalid_request_error", nullptr, "Unprocessable."}},
    {"upgrade_refused", {400, "invalid_request_error", nullptr, "This endpoint cannot be upgraded now."}},
};

const std::map<std::string, Behaviour> behaviours{
    {"reset_before", Behaviour::reset_before},   {"close_before", Behaviour::close_before},
    {"reset_on_accept_body", Behaviour::reset_while_reading}, {"early_answer", Behaviour::early_answer},
    {"reset_mid", Behaviour::reset_mid},         {"truncate", Behaviour::truncate},
    {"short_length", Behaviour::short_length},   {"stall_before", Behaviour::stall_before},
    {"stall_mid", Behaviour::stall_mid}};

bool is_before_body(Behaviour behaviour) {
  return behaviour == Behaviour::reset_while_reading || behaviour == Behaviour::early_answer;
}

}  // namespace

std::string Script::add(const ordered_json& text) {
  Rule rule;
  rule.key = text.value("key", "*");
  rule.path = text.value("path", "");
  rule.model = text.value("model", "");
  rule.left = text.value("times", std::uint64_t{0});
  rule.endless = rule.left == 0;
  Fault& fault = rule.fault;
  fault.name = text.value("fault", "");
  fault.after_bytes = text.value("after_bytes", std::uint64_t{200});
  if (const auto known = answers.find(fault.name); known != answers.end()) {
    const Known& row = known->second;
    fault.answer = error_answer(row.status, row.type, row.code == nullptr ? ordered_json(nullptr) : ordered_json(row.code), row.message);
  } else if (const auto found = behaviours.find(fault.name); found != behaviours.end()) {
    fault.behaviour = found->second;
    fault.answer = error_answer(400, "invalid_request_error", nullptr, "An early answer.");
  } else if (fault.name == "html_502") {
    fault.answer.status = 502;
    fault.answer.content_type = "text/html";
    fault.answer.body = "<html><body><h1>502 Bad Gateway</h1></body></html>";
  } else if (fault.name == "redirect_302") {
    fault.answer.status = 302;
    fault.answer.headers.emplace_back("Location", "https://elsewhere.example/v1/");
  } else if (!fault.name.empty()) {
    return "unknown fault '" + fault.name + "'";
  } else {
    fault.name = "scripted";
    fault.answer.status = text.value("status", 200U);
    const auto body = text.value("body", ordered_json(""));
    fault.answer.body = body.is_string() ? body.get<std::string>() : body.dump();
    const ordered_json headers = text.value("headers", ordered_json::object());
    for (const auto& [name, value] : headers.items()) fault.answer.headers.emplace_back(name, value.get<std::string>());
  }
  if (text.contains("retry_after_ms")) fault.answer.headers.emplace_back("retry-after-ms", text["retry_after_ms"].dump());
  if (text.contains("retry_after")) fault.answer.headers.emplace_back("retry-after", text["retry_after"].dump());
  rules_.push_back(std::move(rule));
  return {};
}

std::optional<Fault> Script::take(const Request& request, bool with_body) {
  for (Rule& rule : rules_) {
    if (!rule.endless && rule.left == 0) continue;
    if (is_before_body(rule.fault.behaviour) == with_body) continue;
    if (rule.key != "*" && rule.key != request.key) continue;
    if (!request.path.starts_with(rule.path)) continue;
    if (!rule.model.empty() && request.body.find("\"" + rule.model + "\"") == request.body.npos) continue;
    if (!rule.endless) --rule.left;
    return rule.fault;
  }
  return std::nullopt;
}

}  // namespace mock
