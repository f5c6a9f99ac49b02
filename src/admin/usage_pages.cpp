#include "usage_pages.hpp"

#include <algorithm>

#include "account_rows.hpp"
#include "calendar.hpp"
#include "json_body.hpp"
#include "query_fields.hpp"

namespace proxyxai {
namespace {

using nlohmann::ordered_json;

constexpr std::int64_t usual_size = 100;
constexpr std::int64_t usual_days = 30, most_days = 366;

/// A sum of usage.
struct Usage {
  std::int64_t requests = 0, input = 0, cached = 0, output = 0;
  Money cost;
  void add(const DayRow& row) {
    requests += row.requests;
    input += row.input;
    cached += row.cached;
    output += row.output;
    cost += row.cost;
  }
};

ordered_json render_own_usage(const Usage& usage) {
  return {{"CreditUsed", to_dollars(usage.cost)},
          {"Requests", usage.requests},
          {"PromptTokens", usage.input},
          {"CompletionTokens", usage.output}};
}

ordered_json render_request(const ShownRequest& shown, bool is_root) {
  const UsageRow& row = shown.row;
  ordered_json json = {{"id", row.id},
                       {"time", to_rfc3339(from_unix_ms(row.id / 1000))},
                       {"user_id", row.account_id},
                       {"user", shown.account},
                       {"model", shown.model},
                       {"path", shown.path},
                       {"status", row.status},
                       {"attempts", row.attempts},
                       {"prompt_tokens", row.input},
                       {"cached_tokens", row.cached},
                       {"completion_tokens", row.output},
                       {"cost", to_dollars(row.cost)},
                       {"duration_ms", row.duration_ms},
                       {"first_byte_ms", row.first_byte_ms},
                       {"stream", row.stream},
                       {"estimated", row.estimated},
                       {"request_id", row.request_id}};
  if (!is_root) return json;
  // The operator's own: which of its keys, and what it cost itself.
  json["key_id"] = row.key_id;
  json["list_cost"] = to_dollars(row.list_cost);
  return json;
}

/// Request ids are microseconds since 1970.
std::int64_t first_request_at(WallTime time) { return std::max<std::int64_t>(0, to_unix_ms(time)) * 1000; }

/// The account that parameter `user` names, which the caller may see; nullopt: not given.
Task<std::optional<AccountId>> read_user(AccountService& accounts, AccountPtr caller, std::string who) {
  if (who.empty()) co_return std::nullopt;
  const auto found = co_await accounts.find(caller, who);
  if (!found) throw Refused({404, "account_not_found", "There is no account '" + who.substr(0, 100) + "' at or below yours.", "user", true});
  co_return found->id;
}

/// The days that `date`, `start`, `end` and `days` name together.
void read_days(const QueryFields& fields, std::int32_t today, BillQuery& query) {
  if (const auto date = fields.day("date")) {
    for (const char* other : {"start", "end", "days"}) {
      if (fields.has(other)) refuse_field(other, "does not go with date");
    }
    query.from = query.to = *date;
    return;
  }
  const auto start = fields.day("start"), end = fields.day("end");
  const auto count = static_cast<int>(fields.whole("days", 1, most_days, usual_days));
  if (start && end && fields.has("days")) refuse_field("days", "does not go with both start and end");
  if (start) {
    query.from = *start;
    query.to = end ? *end : fields.has("days") ? add_days(*start, count - 1) : std::max(today, *start);
  } else {
    query.to = end.value_or(today);
    query.from = add_days(query.to, 1 - count);
  }
  if (query.from > query.to) refuse_field("end", "must not be before start");
  if (days_between(query.from, query.to) >= most_days) refuse_field("start", "and end may be at most 366 days apart");
}

ordered_json render_day(std::int32_t day, std::vector<DayRow>::const_iterator row, std::vector<DayRow>::const_iterator end) {
  Usage sum;
  ordered_json models = ordered_json::object();
  for (; row != end; ++row) {
    sum.add(*row);
    models[row->model_name] = {{"requests", row->requests},
                               {"prompt", row->input},
                               {"cached", row->cached},
                               {"completion", row->output},
                               {"cost", to_dollars(row->cost)}};
  }
  return {{"aggregation_timestamp", to_unix_ms(start_of_day(day)) / 1000},
          {"date", to_date(day)},
          {"n_requests", sum.requests},
          {"n_context_tokens_total", sum.input},
          {"n_cached_tokens_total", sum.cached},
          {"n_generated_tokens_total", sum.output},
          {"cost", to_dollars(sum.cost)},
          {"usage_details", std::move(models)}};
}

ordered_json render_bill(const Bill& bill) {
  Usage total;
  ordered_json days = ordered_json::array(), users = ordered_json::array();
  for (auto row = bill.days.begin(); row != bill.days.end();) {
    const std::int32_t day = row->day;
    const auto end = std::find_if(row, bill.days.end(), [day](const DayRow& each) { return each.day != day; });
    days.push_back(render_day(day, row, end));
    for (; row != end; ++row) total.add(*row);
  }
  for (const BillAccount& each : bill.accounts) {
    users.push_back({{"id", each.id},
                     {"name", each.name},
                     {"email", each.email},
                     {"total_requests", each.requests},
                     {"total_cost", to_dollars(each.cost)}});
  }
  return {{"object", "list"},
          {"data", std::move(days)},
          {"total_usage", {{"requests", total.requests}, {"cost", to_dollars(total.cost)}}},
          {"usage_users", std::move(users)}};
}

ordered_json render_operation(const OperationRow& row) {
  ordered_json details = ordered_json::parse(row.details, nullptr, false);
  if (details.is_discarded()) details = ordered_json::object();
  return {{"id", row.id},
          {"time", to_rfc3339(row.at)},
          {"action", row.action},
          {"actor_id", row.actor_id},
          {"target_id", row.target_id},
          {"details", std::move(details)}};
}

/// Cuts a list that was asked for with one more than its size; true: there was one more.
template <class List>
bool cut(List& list, std::int64_t size) {
  if (list.size() <= static_cast<std::size_t>(size)) return false;
  list.resize(static_cast<std::size_t>(size));
  return true;
}

}  // namespace

Task<ApiResponse> show_info(AccountService& accounts, const Clock& clock, AccountPtr caller) {
  const auto [row, cards] = co_await accounts.show(caller);
  const std::int32_t today = day_of(clock.wall_now());
  BillQuery query{row, row.id, today / 100 * 100 + 1, today};
  const Bill bill = co_await accounts.bill(query);
  Usage day, month;
  for (const DayRow& each : bill.days) {
    month.add(each);
    if (each.day == today) day.add(each);
  }
  ordered_json json = render_own(row, cards);
  json["daily_usage"] = render_own_usage(day);
  json["monthly_usage"] = render_own_usage(month);
  const AccountService::Settings& settings = accounts.settings();
  const bool pays = !row.is_root;
  json["fees"] = {{"transaction", to_dollars(pays ? settings.fee_transaction : Money{})}, {"listing", to_dollars(pays ? settings.fee_listing : Money{})}};
  json["minimums"] = {{"call", to_dollars(settings.call_min_balance)},
                      {"user", to_dollars(settings.user_min_balance)},
                      {"manage", to_dollars(settings.user_api_min_balance)}};
  co_return to_answer(json);
}

ApiResponse show_status(const AccountService& accounts, const Account& caller) {
  const AccountRow& row = caller.row;
  return to_answer({{"object", "user_status"},
                    {"id", row.id},
                    {"name", row.name},
                    {"email", row.email},
                    {"balance", to_dollars(caller.balance())},
                    {"dna", row.dna},
                    {"manage", accounts.may_manage(caller)}});
}

Task<ApiResponse> show_operations(AccountService& accounts, std::string_view query, AccountPtr caller) {
  const QueryFields fields(query, {"page", "size", "action", "target_id"});
  const Page page = read_page(fields, usual_size);
  OperationQuery wanted;
  wanted.account = caller->row.id;
  wanted.action = fields.text("action");
  if (fields.has("target_id")) wanted.target = fields.whole("target_id", 1, INT64_MAX, 0);
  wanted.offset = page.offset;
  wanted.size = page.size + 1;
  auto rows = co_await accounts.operations(wanted);
  const bool has_more = cut(rows, page.size);
  ordered_json data = ordered_json::array();
  for (const OperationRow& each : rows) data.push_back(render_operation(each));
  co_return to_answer({{"object", "list"}, {"data", std::move(data)}, {"has_more", has_more}});
}

Task<ApiResponse> show_requests(AccountService& accounts, std::string_view query, AccountPtr caller) {
  const QueryFields fields(query, {"page", "size", "start", "end", "model", "user", "after"});
  const Page page = read_page(fields, usual_size);
  RequestQuery wanted;
  wanted.of = caller->row;
  if (const auto start = fields.time("start", false)) wanted.from = first_request_at(*start);
  // Nothing before 1970 is meant by an end then; 0 would stand for no end.
  if (const auto end = fields.time("end", true)) wanted.before = std::max<std::int64_t>(1, first_request_at(*end));
  if (fields.has("after")) {
    const std::int64_t after = fields.whole("after", 1, INT64_MAX, 0);
    wanted.before = wanted.before == 0 ? after : std::min(wanted.before, after);
  }
  wanted.model = fields.text("model");
  wanted.offset = page.offset;
  wanted.size = page.size + 1;
  std::string who = fields.text("user");
  wanted.user = co_await read_user(accounts, caller, std::move(who));
  auto rows = co_await accounts.requests(wanted);
  const bool has_more = cut(rows, page.size);
  ordered_json data = ordered_json::array();
  for (const ShownRequest& each : rows) data.push_back(render_request(each, caller->row.is_root));
  const ordered_json next = has_more ? ordered_json(std::to_string(rows.back().row.id)) : ordered_json(nullptr);
  co_return to_answer({{"object", "list"}, {"data", std::move(data)}, {"has_more", has_more}, {"next", next}});
}

Task<ApiResponse> show_bill(AccountService& accounts, const Clock& clock, std::string_view query, AccountPtr caller) {
  const QueryFields fields(query, {"user", "date", "start", "end", "days"});
  BillQuery wanted;
  wanted.of = caller->row;
  read_days(fields, day_of(clock.wall_now()), wanted);
  std::string who = fields.text("user");
  wanted.user = co_await read_user(accounts, caller, std::move(who));
  const Bill bill = co_await accounts.bill(wanted);
  co_return to_answer(render_bill(bill));
}

}  // namespace proxyxai
