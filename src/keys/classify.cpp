#include "proxyxai/keys/classify.hpp"

#include "error_body.hpp"
#include "retry_time.hpp"

#include <algorithm>
#include <string>

namespace proxyxai {
namespace {

/// A fault with what narrows it. `reason` is ours, for the cases that upstream tells in words only.
struct Verdict {
  Fault fault = Fault::caller;
  Scope scope = Scope::model;
  std::string_view reason{};
};

/// Codes are logged, shown and counted, so only what looks like one is taken over.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

bool account_is_closed(const ErrorBody& error) {
  return error.is("account_deactivated") || error.is("access_terminated");
}

bool lacks_scopes(const ErrorBody& error) {
  return error.mentions("missing scopes") || error.mentions("insufficient permissions");
}

bool refuses_address(const ErrorBody& error) {
  const bool refuses = error.mentions("not authori") || error.mentions("not allowed");
  return error.is("ip_not_authorized") || error.mentions("ip not authori") || error.mentions("ip allowlist") ||
         (error.mentions("ip address") && refuses);
}

bool has_no_money(const ErrorBody& error) {
  return error.is("insufficient_quota") || error.is("credit_balance_exhausted") || error.is("billing_not_active") ||
         error.ends_in("_spend_limit_exceeded") || error.ends_in("_usage_limit_exceeded");
}

Verdict judge_401(const ErrorBody& error) {
  if (error.is("invalid_api_key") || account_is_closed(error)) return {Fault::dead};
  if (lacks_scopes(error)) return {Fault::no_access, Scope::endpoint, "missing_scopes"};
  if (error.mentions("must be a member of an organization")) return {Fault::suspended, {}, "not_in_organization"};
  if (refuses_address(error)) return {Fault::suspended, {}, "ip_not_authorized"};
  // A 401 that we do not know must not kill a good key.
  return {Fault::no_access, Scope::endpoint};
}

Verdict judge_403(const ErrorBody& error) {
  if (error.is("unsupported_country_region_territory")) return {Fault::egress};
  if (account_is_closed(error)) return {Fault::dead};
  if (error.is("ip_not_authorized")) return {Fault::suspended};
  if (error.is("model_not_found") || error.mentions("does not have access to model")) {
    return {Fault::no_access, Scope::model, "model_not_found"};
  }
  if (lacks_scopes(error)) return {Fault::no_access, Scope::endpoint, "missing_scopes"};
  return {Fault::caller};
}

Verdict judge_429(const ErrorBody& error) {
  if (has_no_money(error)) return {Fault::exhausted};
  if (account_is_closed(error)) return {Fault::dead};
  // No wait makes it fit: the request alone is over the limit.
  if (error.mentions("request too large")) return {Fault::caller};
  return {Fault::rate_limited};
}

Verdict judge_503(const ErrorBody& error) {
  return {error.is("server_is_overloaded") || error.is("slow_down") ? Fault::overloaded : Fault::upstream};
}

Verdict judge(unsigned status, const ErrorBody& error) {
  switch (status) {
    case 400: return {error.is("billing_hard_limit_reached") ? Fault::exhausted : Fault::caller};
    case 401: return judge_401(error);
    case 402: return {Fault::exhausted};
    case 403: return judge_403(error);
    case 404: return {error.is("model_not_found") ? Fault::unknown_model : Fault::caller};
    case 408: return {Fault::upstream};
    case 429: return judge_429(error);
    case 503: return judge_503(error);
    case 529: return {Fault::overloaded};
    default: return {status >= 400 && status < 500 ? Fault::caller : Fault::upstream};
  }
}

std::string reason_of(unsigned status, const ErrorBody& error, const Verdict& verdict) {
  if (is_token(error.code)) return error.code;
  if (!verdict.reason.empty()) return std::string(verdict.reason);
  if (is_token(error.type)) return error.type;
  return "http_" + std::to_string(status);
}

}  // namespace

void classify(const Answer& answer, Attempt& attempt) {
  attempt.scope = Scope::model;
  attempt.retry_after.reset();
  if (answer.status >= 100 && answer.status < 400) {
    // Redirects too: they are passed on, never followed.
    attempt.fault = Fault::none;
    attempt.reason.clear();
    return;
  }
  const ErrorBody error = read_error_body(answer.body);
  const Verdict verdict = judge(answer.status, error);
  attempt.fault = verdict.fault;
  attempt.scope = verdict.scope;
  attempt.reason = reason_of(answer.status, error, verdict);
  if (verdict.fault == Fault::rate_limited) attempt.retry_after = retry_time(answer, error.message);
}

}  // namespace proxyxai
