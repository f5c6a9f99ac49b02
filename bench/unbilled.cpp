// The request path without its money, to measure what metering and the ledger cost: these definitions stand in for those of
// src/proxy/billing.cpp and src/proxy/estimate.cpp in a daemon that only the bench builds.
#include "proxyxai/proxy/billing.hpp"
#include "proxyxai/proxy/estimate.hpp"

namespace proxyxai {

bool costs_money(const RequestContext& /*request*/) { return false; }
bool is_transcription(std::string_view /*endpoint*/) { return false; }
std::string_view default_model(std::string_view /*endpoint*/) { return {}; }
std::int64_t estimate_input(const RequestFacts& /*facts*/, bool /*generous*/) { return 0; }

Billing::Billing(Ledger& ledger, Metrics& metrics, Clock& clock, Settings settings)
    : ledger_(ledger), metrics_(metrics), clock_(clock), settings_(settings) {}

std::optional<ApiError> Billing::hold(RequestContext& request) const {
  Demand nothing;
  nothing.least_tokens = nothing.wanted_tokens = 0;
  return request.hold.place(request.account, nothing, settings_.call_min_balance, clock_.now());
}
// NOLINTBEGIN(readability-convert-member-functions-to-static): those that they stand in for have members
bool Billing::covers_delivered(RequestContext& /*request*/) const { return true; }
Task<bool> Billing::bill(RequestContext& /*request*/) { co_return true; }
void Billing::settle(RequestContext& request) { request.hold.settle(0, clock_.now()); }
Task<bool> Billing::bill_event(RequestContext& /*request*/, const EventUsage& /*event*/) { co_return true; }
bool Billing::covers_socket(RequestContext& /*request*/) const { return true; }

Usage Billing::known_usage(const RequestContext& /*request*/) { return {}; }
Task<bool> Billing::bill_pending(AccountPtr /*account*/, PendingBill /*bill*/, Usage /*usage*/, std::string /*model*/, Money /*least*/) { co_return true; }
// NOLINTEND(readability-convert-member-functions-to-static)

}  // namespace proxyxai
