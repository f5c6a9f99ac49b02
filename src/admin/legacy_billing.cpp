#include "legacy_billing.hpp"

#include <algorithm>

#include "account_rows.hpp"
#include "calendar.hpp"
#include "json_body.hpp"
#include "query_fields.hpp"

namespace proxyxai {
namespace {

using nlohmann::ordered_json;

constexpr int most_days = 366;

std::int64_t to_seconds(WallTime time) { return to_unix_ms(time) / 1000; }

double to_cents(Money amount) { return to_dollars(scale(amount, 100, 1)); }

}  // namespace

Task<ApiResponse> show_subscription(AccountService& accounts, std::int32_t month, AccountPtr caller) {
  const auto [row, cards] = co_await accounts.show(caller);
  // These clients take from it what `usage` says of the calendar month; what is left must come out. Root has no end.
  const Money used = row.month == month ? row.month_used : Money{};
  const double reach = to_dollars(row.is_root ? most_money : row.balance() + used);
  co_return to_answer({{"object", "billing_subscription"},
                       {"has_payment_method", true},
                       {"canceled", false},
                       {"soft_limit_usd", row.soft_limit.nanos > 0 ? std::min(to_dollars(row.soft_limit), reach) : reach},
                       {"hard_limit_usd", reach},
                       {"system_hard_limit_usd", reach},
                       {"access_until", cards.empty() ? std::int64_t{0} : to_seconds(cards.back().expires_at)}});
}

Task<ApiResponse> show_usage(AccountService& accounts, const Clock& clock, std::string_view query, AccountPtr caller) {
  const QueryFields fields(query, {"start_date", "end_date"});
  const std::int32_t today = day_of(clock.wall_now());
  BillQuery wanted;
  wanted.of = caller->row;
  wanted.user = caller->row.id;
  wanted.to = fields.day("end_date").value_or(today);
  wanted.from = fields.day("start_date").value_or(wanted.to / 100 * 100 + 1);
  if (wanted.from > wanted.to) refuse_field("end_date", "must not be before start_date");
  if (days_between(wanted.from, wanted.to) > most_days) refuse_field("start_date", "and end_date may be at most 12 months apart");
  const Bill bill = co_await accounts.bill(wanted);
  ordered_json days = ordered_json::array();
  Money total;
  std::int32_t last = 0;
  for (const DayRow& each : bill.days) {
    if (each.day != last) days.push_back({{"timestamp", to_seconds(start_of_day(each.day))}, {"line_items", ordered_json::array()}});
    last = each.day;
    days.back()["line_items"].push_back({{"name", each.model_name}, {"cost", to_cents(each.cost)}});
    total += each.cost;
  }
  co_return to_answer({{"object", "list"}, {"daily_costs", std::move(days)}, {"total_usage", to_cents(total)}});
}

Task<ApiResponse> show_credit_grants(AccountService& accounts, AccountPtr caller) {
  const auto [row, cards] = co_await accounts.show(caller);
  ordered_json grants = ordered_json::array();
  for (const CardRow& each : cards) {
    grants.push_back({{"object", "credit_grant"},
                      {"id", std::to_string(each.id)},
                      {"grant_amount", to_dollars(each.amount)},
                      {"used_amount", to_dollars(each.amount - each.balance)},
                      {"effective_at", to_seconds(each.granted_at)},
                      {"expires_at", to_seconds(each.expires_at)}});
  }
  // Granted is what was used and what is left, so that it comes out: grants of its own, take-backs and expiries lie between.
  co_return to_answer({{"object", "credit_summary"},
                       {"total_granted", to_dollars(row.credit_used + row.balance())},
                       {"total_used", to_dollars(row.credit_used)},
                       {"total_available", to_dollars(row.balance())},
                       {"grants", {{"object", "list"}, {"data", std::move(grants)}}}});
}

}  // namespace proxyxai
