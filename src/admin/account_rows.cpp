#include "account_rows.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

using nlohmann::ordered_json;

std::string or_all(const std::string& list) { return list.empty() ? "*" : list; }

ordered_json model_limits_of(const AccountRow& row) {
  const ordered_json limits = ordered_json::parse(row.model_limits.empty() ? "{}" : row.model_limits, nullptr, false);
  return limits.is_discarded() ? ordered_json::object() : limits;
}

const char* abort_policy_of(const AccountRow& row) { return row.drains_aborted ? "drain" : "cancel"; }

/// The account that paid or was paid.
ordered_json render_parent(const AccountRow& row) {
  return {{"ID", row.id},
          {"Level", row.level},
          {"Name", row.name},
          {"Child", row.children},
          {"ChildLimit", row.child_limit},
          {"Rates", to_dollars({row.rates})},
          {"CreditBalance", to_dollars(row.cards)},
          {"Balance", to_dollars(row.balance())},
          {"HardLimit", to_dollars(row.hard_limit)},
          {"SoftLimit", to_dollars(row.soft_limit)},
          {"RateLimit", row.limits.rpm},
          {"RPM", row.limits.rpm}};
}

/// What a field of a change shows up as.
std::vector<std::string_view> shown_as(std::string_view field) {
  if (field == "CreditGranted") return {"CreditGranted", "CreditBalance", "Balance", "HardLimit"};
  if (field == "Rates") return {"Rates", "CreditBalance", "Balance"};
  if (field == "RPM" || field == "RateLimit") return {"RateLimit", "RPM"};
  if (field == "DenyIPs") return {"AllowIPs"};
  if (field == "DenyModels") return {"AllowModels"};
  return {field};
}

}  // namespace

ordered_json render_account(const AccountRow& row) {
  const RateLimits& limits = row.limits;
  return {{"ID", row.id},
          {"DNA", row.dna},
          {"Level", row.level},
          {"Name", row.name},
          {"Alias", row.alias},
          {"Email", row.email},
          {"BillingEmail", row.billing_email},
          {"Rates", to_dollars({row.rates})},
          {"CreditUsed", to_dollars(row.credit_used)},
          {"CreditBalance", to_dollars(row.cards)},
          {"Balance", to_dollars(row.balance())},
          {"CreditGranted", to_dollars(row.credit_granted)},
          {"HardLimit", to_dollars(row.hard_limit)},
          {"SoftLimit", to_dollars(row.soft_limit)},
          {"RateLimit", limits.rpm},
          {"RPM", limits.rpm},
          {"RPH", limits.rph},
          {"RPD", limits.rpd},
          {"TPM", limits.tpm},
          {"TPH", limits.tph},
          {"TPD", limits.tpd},
          {"Concurrency", limits.concurrency},
          {"ChildLimit", row.child_limit},
          {"Child", row.children},
          {"Requests", row.requests},
          {"Status", row.enabled},
          {"AllowIPs", or_all(row.allow_ips)},
          {"AllowModels", or_all(row.allow_models)},
          {"Resources", or_all(row.resources)},
          {"ModelLimits", model_limits_of(row)},
          {"AbortPolicy", abort_policy_of(row)},
          {"PartialKey", row.partial},
          {"SecretKey", "***"},
          {"CreatedAt", to_rfc3339(row.created_at)},
          {"UpdatedAt", to_rfc3339(row.updated_at)}};
}

ordered_json render_touched(const AccountRow& row, const std::vector<std::string>& fields) {
  const ordered_json whole = render_account(row);
  std::vector<std::string_view> touched{"UpdatedAt"};
  for (const std::string& each : fields) {
    const auto names = shown_as(each);
    touched.insert(touched.end(), names.begin(), names.end());
  }
  ordered_json shown = ordered_json::object();
  for (const auto& [name, value] : whole.items()) {
    if (std::find(touched.begin(), touched.end(), name) != touched.end()) shown[name] = value;
  }
  return shown;
}

std::string render_added(const AccountOutcome& outcome) {
  const AccountRow& row = outcome.user;
  ordered_json updates = render_account(row);
  updates.erase("SecretKey");
  return to_text({{"Action", "add"},
                  {"Parent", render_parent(outcome.parent)},
                  {"User",
                   {{"ID", row.id},
                    {"Alias", row.alias},
                    {"Name", row.name},
                    {"SecretKey", outcome.key.reveal()},
                    {"Updates", std::move(updates)}}}});
}

std::string render_updated(const AccountOutcome& outcome, const std::vector<std::string>& fields) {
  const AccountRow& row = outcome.user;
  return to_text({{"Action", "update"},
                  {"Parent", render_parent(outcome.parent)},
                  {"User", {{"ID", row.id}, {"Name", row.name}, {"Updates", render_touched(row, fields)}}}});
}

std::string render_deleted(const AccountOutcome& outcome) {
  const AccountRow& row = outcome.user;
  return to_text({{"Action", "delete"},
                  {"Parent", render_parent(outcome.parent)},
                  {"User",
                   {{"ID", row.id},
                    {"DNA", row.dna},
                    {"Level", row.level},
                    {"Name", row.name},
                    {"Alias", row.alias},
                    {"Email", row.email},
                    {"CreditUsed", to_dollars(row.credit_used)},
                    {"Requests", row.requests}}}});
}

std::string render_rotated(const AccountOutcome& outcome, const char* action, const std::string& timestamp) {
  return to_text({{"success", true},
                  {"rotate",
                   {{"action", action},
                    {"id", outcome.user.id},
                    {"name", outcome.user.name},
                    {"key", outcome.key.reveal()},
                    {"timestamp", timestamp}}}});
}

ordered_json render_own(const AccountRow& row, const std::vector<CardRow>& cards) {
  ordered_json credit = ordered_json::array();
  for (const CardRow& each : cards) {
    credit.push_back({{"amount", to_dollars(each.amount)},
                      {"balance", to_dollars(each.balance)},
                      {"granted_at", to_rfc3339(each.granted_at)},
                      {"expires_at", to_rfc3339(each.expires_at)},
                      {"reference", each.reference}});
  }
  const RateLimits& limits = row.limits;
  return {{"id", row.id},
          {"level", row.level},
          {"dna", row.dna},
          {"name", row.name},
          {"alias", row.alias},
          {"email", row.email},
          {"billing_email", row.billing_email},
          {"child", row.children},
          {"create_at", to_rfc3339(row.created_at)},
          {"status", row.enabled},
          {"rates", to_dollars({row.rates})},
          {"credit_balance", std::move(credit)},
          {"credit_used", to_dollars(row.credit_used)},
          {"balance", to_dollars(row.balance())},
          {"hard_limit", to_dollars(row.hard_limit)},
          {"soft_limit", to_dollars(row.soft_limit)},
          {"rate_limit", limits.rpm},
          {"rpm", limits.rpm},
          {"rph", limits.rph},
          {"rpd", limits.rpd},
          {"tpm", limits.tpm},
          {"tph", limits.tph},
          {"tpd", limits.tpd},
          {"concurrency", limits.concurrency},
          {"allow_ips", or_all(row.allow_ips)},
          {"allow_models", or_all(row.allow_models)},
          {"resources", or_all(row.resources)},
          {"model_limits", model_limits_of(row)},
          {"abort_policy", abort_policy_of(row)},
          {"partial_key", row.partial},
          {"requests", row.requests}};
}

std::string to_text(const ordered_json& json) { return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

ApiResponse to_answer(const ordered_json& json) {
  ApiResponse response;
  response.body = to_text(json);
  return response;
}

}  // namespace proxyxai
