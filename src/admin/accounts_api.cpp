#include "proxyxai/admin/accounts_api.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/this_coro.hpp>

#include "account_rows.hpp"
#include "calendar.hpp"
#include "json_body.hpp"
#include "legacy_billing.hpp"
#include "proxyxai/admin/account_input.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/timer.hpp"
#include "proxyxai/http/query.hpp"
#include "query_fields.hpp"
#include "usage_pages.hpp"

namespace proxyxai {
namespace {

constexpr std::string_view users_path = "/x-users", descendants_path = "/x-dna";
constexpr std::string_view dashboard_path = "/dashboard/", versioned_billing_path = "/v1/dashboard/billing/";
constexpr std::array<std::string_view, 5> single_paths{"/x-self", "/x-root", "/x-requests", "/x-bill", "/x-prices"};
constexpr std::array<std::string_view, 7> dashboard_pages{"x_user/info", "x-user-info", "x-user-status", "x-user-logs",
                                                          "billing/subscription", "billing/usage", "billing/credit_grants"};
constexpr std::size_t longest_idempotency_key = 255;
constexpr std::int64_t usual_size = 1'000;
/// How long a repetition waits for the call it repeats, and how often it looks.
constexpr milliseconds patience{30'000}, glance{10};

template <class List>
bool contains(const List& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

/// The page of `/dashboard` that the path names, with or without `/v1` for those of billing; empty: none.
std::string_view page_of(std::string_view path) {
  if (path.starts_with(versioned_billing_path)) path.remove_prefix(std::string_view("/v1").size());
  if (!path.starts_with(dashboard_path)) return {};
  const auto page = path.substr(dashboard_path.size());
  return contains(dashboard_pages, page) ? page : std::string_view();
}

/// What follows `/x-users/`, decoded; empty: the list itself. Throws for more than one segment.
std::string subject_of(std::string_view path, std::string_view root) {
  std::string_view rest = path.substr(root.size());
  if (rest.starts_with('/')) rest.remove_prefix(1);
  if (rest.find('/') != rest.npos) throw Refused({404, "not_found", "There is no such management path.", {}, true});
  return percent_decode(rest);
}

/// Throws 405, which `handle` completes with Allow.
struct WrongMethod {
  std::string_view allowed;
};

void require_method(const ApiRequest& request, std::string_view method) {
  if (request.method != method) throw WrongMethod{method};
}

void require_good_key(std::string_view key) {
  const bool good = key.size() <= longest_idempotency_key && std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  if (!good) refuse_field("Idempotency-Key", "must have at most 255 printable ASCII characters");
}

/// Of everything that makes a repetition the same call.
Digest digest_of(const ApiRequest& request) {
  std::string call(request.method);
  call.append(" ").append(request.path).append("?").append(request.query).append("\n").append(request.body);
  return sha256(call);
}

Digest turn_of(AccountId caller, std::string_view key) { return sha256(std::to_string(caller).append(" ").append(key)); }

/// `2026-11-25-ROTATE-SELF`
std::string confirmation_of(const Clock& clock, const char* what) { return to_date(day_of(clock.wall_now())) + "-ROTATE-" + what; }

}  // namespace

bool AccountsApi::owns(std::string_view path) const {
  return is_under(path, users_path) || is_under(path, descendants_path) || contains(single_paths, path) || !page_of(path).empty();
}

class AccountsApi::Turn {
 public:
  Turn(std::set<Digest>& under_way, const Digest& turn) : under_way_(under_way), turn_(turn) { under_way_.insert(turn_); }
  ~Turn() { under_way_.erase(turn_); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::set<Digest>& under_way_;
  const Digest turn_;
};

Task<void> AccountsApi::wait_for_turn(const Digest& turn) {
  Timer timer(co_await boost::asio::this_coro::executor);
  for (milliseconds waited{0}; under_way_.contains(turn); waited += glance) {
    if (waited >= patience) {
      throw Refused({409, "idempotency_key_in_use", "A call with this Idempotency-Key is under way; ask again when it has ended.",
                     "Idempotency-Key", false, milliseconds(1'000)});
    }
    timer.expires_after(glance);
    co_await timer.async_wait(use_result_task);
  }
}

Task<ApiResponse> AccountsApi::handle(ApiRequest request, AccountPtr caller) {
  try {
    require_pace(request, *caller);
    if (request.method == "GET" || request.idempotency_key.empty()) co_return co_await dispatch(request, caller);
    require_good_key(request.idempotency_key);
    const Digest turn = turn_of(caller->row.id, request.idempotency_key);
    co_await wait_for_turn(turn);
    const Turn mine(under_way_, turn);
    // Before anything is looked at: what was done meanwhile must not make a repetition fail.
    const std::string key(request.idempotency_key);
    const Digest digest = digest_of(request);
    const std::string kept = co_await parts_.accounts.kept_answer(caller, key, digest);
    if (!kept.empty()) co_return repeat(request, kept);
    co_return co_await dispatch(request, caller);
  } catch (const Refused& refused) {
    co_return to_response(refused.error());
  } catch (const WrongMethod& wrong) {
    co_return wrong_method(wrong.allowed);
  }
}

void AccountsApi::require_pace(const ApiRequest& request, Account& caller) const {
  if (request.method == "GET" || caller.row.is_root) return;
  const auto wait = caller.count_change(parts_.clock.now());
  if (!wait) return;
  throw Refused({429, "rate_limit_exceeded", "An account may make " + std::to_string(Account::most_changes) +
                 " changes of accounts per minute. Please try again in " + to_decimal(Money{wait->count() * 1'000'000}) + "s.", {}, false, *wait});
}

Task<ApiResponse> AccountsApi::dispatch(ApiRequest request, AccountPtr caller) {
  const std::string_view path = request.path;
  if (is_under(path, users_path)) co_return co_await users(request, caller);
  if (path == "/x-self") {
    require_method(request, "POST");
    co_return co_await rotate_self(request, caller);
  }
  if (path == "/x-root") {
    if (!caller->row.is_root) throw Refused({403, "resource_not_allowed", "Only root rotates the keys of others.", {}, true});
    require_method(request, "POST");
    co_return co_await rotate_any(request, caller);
  }
  require_method(request, "GET");
  if (is_under(path, descendants_path)) {
    std::string who = subject_of(path, descendants_path);
    if (who.empty()) co_return co_await list(request, caller, true);
    co_return co_await show(caller, std::move(who), true);
  }
  if (path == "/x-requests") co_return co_await show_requests(parts_.accounts, request.query, caller);
  if (path == "/x-bill") co_return co_await show_bill(parts_.accounts, parts_.clock, request.query, caller);
  if (path == "/x-prices") {
    ApiResponse response;
    response.body = parts_.prices();
    co_return response;
  }
  co_return co_await dashboard(request, caller);
}

Task<ApiResponse> AccountsApi::dashboard(ApiRequest request, AccountPtr caller) {
  const std::string_view page = page_of(request.path);
  if (page == "x_user/info" || page == "x-user-info") co_return co_await show_info(parts_.accounts, parts_.clock, caller);
  if (page == "x-user-status") co_return show_status(parts_.accounts, *caller);
  if (page == "x-user-logs") co_return co_await show_operations(parts_.accounts, request.query, caller);
  if (page == "billing/subscription") co_return co_await show_subscription(parts_.accounts, parts_.ledger.month(), caller);
  if (page == "billing/usage") co_return co_await show_usage(parts_.accounts, parts_.clock, request.query, caller);
  if (page == "billing/credit_grants") co_return co_await show_credit_grants(parts_.accounts, caller);
  throw Refused({404, "not_found", "There is no such management path.", {}, true});
}

Task<ApiResponse> AccountsApi::users(ApiRequest request, AccountPtr caller) {
  const std::string_view method = request.method;
  std::string who = subject_of(request.path, users_path);
  if (who.empty()) {
    if (method == "GET") co_return co_await list(request, caller, false);
    if (method == "POST") co_return co_await add(request, caller);
    throw WrongMethod{"GET, POST"};
  }
  if (method == "GET") co_return co_await show(caller, std::move(who), false);
  if (method == "PUT" || method == "POST") co_return co_await change(request, caller, std::move(who));
  if (method == "DELETE") co_return co_await remove(request, caller, std::move(who));
  throw WrongMethod{"GET, PUT, POST, DELETE"};
}

Task<ApiResponse> AccountsApi::list(ApiRequest request, AccountPtr caller, bool descendants) {
  parts_.accounts.require_manager(*caller);
  const QueryFields fields(request.query, {"id", "name", "email", "page", "size"});
  const Page page = read_page(fields, usual_size);
  AccountQuery query;
  query.descendants = descendants;
  if (fields.has("id")) query.id = fields.whole("id", 1, INT64_MAX, 0);
  query.name = fields.text("name");
  query.email = fields.text("email");
  query.offset = page.offset;
  query.size = page.size;
  const auto rows = co_await parts_.accounts.list(caller, query);
  nlohmann::ordered_json shown = nlohmann::ordered_json::array();
  for (const AccountRow& each : rows) shown.push_back(render_account(each));
  co_return to_answer(shown);
}

Task<ApiResponse> AccountsApi::show(AccountPtr caller, std::string who, bool descendants) {
  parts_.accounts.require_manager(*caller);
  AccountQuery query;
  query.descendants = descendants;
  query.size = 1;
  if (!ask_for(query, who)) no_such_account(who);
  if (asks_for(query, caller->row)) {
    const auto shown = co_await parts_.accounts.show(caller);
    co_return to_answer(render_account(shown.first));
  }
  const auto rows = co_await parts_.accounts.list(caller, query);
  if (rows.empty()) no_such_account(who);
  co_return to_answer(render_account(rows.front()));
}

Task<ApiResponse> AccountsApi::add(ApiRequest request, AccountPtr caller) {
  parts_.accounts.require_manager(*caller);
  require_json(request.content_type);
  AccountInput input = read_account_input(request.body);
  const Render render = render_added;
  Once once = guard(request, render);
  const AccountOutcome outcome = co_await parts_.accounts.create(caller, std::move(input.change), std::move(once));
  co_return answer(request, outcome, render);
}

Task<ApiResponse> AccountsApi::change(ApiRequest request, AccountPtr caller, std::string who) {
  require_json(request.content_type);
  AccountInput input = read_account_input(request.body);
  const Render render = [fields = input.fields](const AccountOutcome& outcome) { return render_updated(outcome, fields); };
  Once once = guard(request, render);
  const AccountOutcome outcome = co_await parts_.accounts.update(caller, std::move(who), std::move(input.change), std::move(once));
  co_return answer(request, outcome, render);
}

Task<ApiResponse> AccountsApi::remove(ApiRequest request, AccountPtr caller, std::string who) {
  const Render render = render_deleted;
  Once once = guard(request, render);
  const AccountOutcome outcome = co_await parts_.accounts.remove(caller, std::move(who), std::move(once));
  co_return answer(request, outcome, render);
}

Task<ApiResponse> AccountsApi::rotate_self(ApiRequest request, AccountPtr caller) {
  require_json(request.content_type);
  const RotationInput input = read_rotation(request.body, confirmation_of(parts_.clock, "SELF"), false);
  const Render render = [now = to_rfc3339(parts_.clock.wall_now())](const AccountOutcome& outcome) {
    return render_rotated(outcome, "rotate_self", now);
  };
  Once once = guard(request, render);
  const AccountOutcome outcome = co_await parts_.accounts.rotate_self(caller, std::move(once));
  co_return answer(request, outcome, render);
}

Task<ApiResponse> AccountsApi::rotate_any(ApiRequest request, AccountPtr caller) {
  require_json(request.content_type);
  RotationInput input = read_rotation(request.body, confirmation_of(parts_.clock, "ROOT"), true);
  const Render render = [now = to_rfc3339(parts_.clock.wall_now())](const AccountOutcome& outcome) {
    return render_rotated(outcome, "rotate_root", now);
  };
  Once once = guard(request, render);
  const AccountOutcome outcome = co_await parts_.accounts.rotate(caller, std::move(input.name), std::move(input.key), std::move(once));
  co_return answer(request, outcome, render);
}

Once AccountsApi::guard(const ApiRequest& request, const Render& render) const {
  Once once;
  if (request.idempotency_key.empty()) return once;
  once.key = request.idempotency_key;
  once.request = digest_of(request);
  once.keep = [render, sealer = parts_.sealer, digest = once.request](const AccountOutcome& outcome) {
    return sealer.seal(Secret(render(outcome)), digest);
  };
  return once;
}

ApiResponse AccountsApi::answer(const ApiRequest& request, const AccountOutcome& outcome, const Render& render) const {
  if (!outcome.repeated.empty()) return repeat(request, outcome.repeated);
  ApiResponse response;
  response.body = render(outcome);
  return response;
}

ApiResponse AccountsApi::repeat(const ApiRequest& request, const std::string& sealed) const {
  const auto body = parts_.sealer.unseal(sealed, digest_of(request));
  if (!body) {
    throw Refused({409, "idempotency_key_reused", "This call was done before; its answer can no longer be read, for the master key has changed.",
                   "Idempotency-Key", true});
  }
  ApiResponse response;
  response.body = body->reveal();
  response.headers.emplace_back("Idempotent-Replayed", "true");
  return response;
}

}  // namespace proxyxai
