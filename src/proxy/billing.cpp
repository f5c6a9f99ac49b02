#include "proxyxai/proxy/billing.hpp"

#include <algorithm>
#include <limits>

#include <spdlog/spdlog.h>

#include "proxyxai/proxy/estimate.hpp"

namespace proxyxai {
namespace {

constexpr std::int64_t shortest_turn = 64;  // bytes of a frame that asks for an answer
constexpr std::size_t most_warned = 1'000;

/// Nano-dollars of the account's book for a million output tokens.
double output_price(const RequestContext& request) {
  return static_cast<double>(request.price->output) * static_cast<double>(request.account->row.rates) / static_cast<double>(list_rate);
}

std::int64_t tokens_for(const RequestContext& request, Money amount) {
  const double price = output_price(request);
  if (price <= 0 || amount.nanos <= 0) return amount.nanos <= 0 ? 0 : most_tokens;
  return static_cast<std::int64_t>(std::min(static_cast<double>(amount.nanos) * 1e6 / price, static_cast<double>(most_tokens)));
}

/// The model that upstream says has answered; empty: it has not said.
std::string_view answered_by(const RequestContext& request) {
  return request.meter ? request.meter->model() : std::string_view();
}

}  // namespace

Billing::Billing(Ledger& ledger, Metrics& metrics, Clock& clock, Settings settings)
    : ledger_(ledger), metrics_(metrics), clock_(clock), settings_(settings) {}

const Price& Billing::price_of(RequestContext& request, std::string_view told) const {
  // The usual answer is by the model that was asked for, whose price `hold` has found.
  if (request.price != nullptr && told == request.price->model) return *request.price;
  for (const std::string_view model : {told, std::string_view(request.facts.model), default_model(request.endpoint)}) {
    if (model.empty()) continue;
    if (const Price* const found = request.prices->find(model)) return *found;
  }
  const std::string& model = request.facts.model;
  if (!model.empty() && warned_.size() < most_warned && std::find(warned_.begin(), warned_.end(), model) == warned_.end()) {
    warned_.push_back(model);
    spdlog::warn("model '{}' has no price: it costs the fallback price; add it to the price file", model);
  }
  return request.prices->fallback();
}

std::optional<ApiError> Billing::hold(RequestContext& request) const {
  const Instant now = clock_.now();
  Demand demand;
  demand.model = request.facts.model;
  demand.month = ledger_.month();
  demand.least_tokens = demand.wanted_tokens = 0;
  if (!request.is_metered) return request.hold.place(request.account, demand, settings_.call_min_balance, now);
  request.prices = prices_;
  const std::string& model = request.facts.model;
  if (settings_.refuses_unknown_models && !model.empty() && request.prices->find(model) == nullptr) {
    return ApiError{403, "model_not_priced", "The operator of this service has set no price for model '" + model + "'.", "model", true};
  }
  request.price = &price_of(request, {});
  const Rate rate = request.account->row.rates;
  Usage asked = usage_asked_for(request, true);
  const bool is_batch = request.endpoint == "batches";
  if (!is_batch) asked.tier = dearer_tier(request);
  const std::int64_t choices = choices_of(request);
  std::int64_t most_output = std::min(request.facts.max_tokens.value_or(request.price->max_output), most_tokens / 1'000) * choices;
  if (is_batch) most_output = request.batch_output;
  const Money prompt = cost_of(asked, *request.price, rate);
  asked.output = std::max<std::int64_t>(most_output, 0);
  const Money full = request.upgrade ? settings_.hold_step : cost_of(asked, *request.price, rate);
  // What a batch comes to is known from its lines, and cannot be topped up.
  demand.wanted = is_batch ? full : std::min(full, settings_.hold_cap);
  // Who names no maximum is let in with what is left, when that covers the prompt and one step.
  // What is charged later cannot reserve more on its way.
  const bool needs_all = request.facts.max_tokens.has_value() || request.is_deferred;
  demand.least = needs_all ? demand.wanted : std::min(demand.wanted, prompt + settings_.hold_step);
  demand.least_tokens = asked.input + (request.facts.max_tokens ? most_output : 1);
  demand.wanted_tokens = asked.input + (request.facts.max_tokens ? most_output : std::min(most_output, usual_output));
  // Batches have limits of their own upstream.
  if (is_batch) demand.least_tokens = demand.wanted_tokens = 0;
  auto refusal = request.hold.place(request.account, demand, settings_.call_min_balance, now);
  request.covered_tokens = tokens_for(request, request.hold.money() - prompt);
  return refusal;
}

bool Billing::covers_delivered(RequestContext& request) const {
  if (!request.meter || request.account->row.is_root || request.is_pending) return true;
  const std::int64_t delivered = request.meter->delivered_tokens();
  while (delivered > request.covered_tokens) {
    if (!request.hold.top_up(settings_.hold_step)) return false;
    request.covered_tokens += std::max<std::int64_t>(1, tokens_for(request, settings_.hold_step));
  }
  return true;
}

/// What every row of a request says.
UsageRow Billing::new_row(const RequestContext& request, const Usage& usage) const {
  UsageRow row;
  row.path = ledger_.word(request.endpoint);
  row.attempts = static_cast<int>(request.attempts);
  row.key_id = request.exchange.attempt().key;
  row.input = usage.input;
  row.cached = usage.cached;
  row.output = usage.output;
  row.estimated = usage.estimated;
  row.request_id = request.request_id.substr(0, 128);
  return row;
}

UsageRow Billing::row_of(RequestContext& request, std::int64_t model) {
  // Failed attempts cost the client nothing; the responses of a WebSocket have rows of their own.
  const Attempt& last = request.exchange.attempt();
  const bool was_asked = last.sent > 0 && (last.fault == Fault::none || last.fault == Fault::client_gone);
  const bool costs = request.price != nullptr && !request.is_pending && request.status != 101 && (request.status < 400 || (request.status == client_left && was_asked));
  if (costs) {
    const Price& price = price_of(request, answered_by(request));
    request.price = &price;
    request.usage = usage_of(request, price);
    const Rate rate = request.account->row.rates;
    request.list_cost = cost_of(request.usage, price);
    request.cost = rate == list_rate ? request.list_cost : cost_of(request.usage, price, rate);
  }
  UsageRow row = new_row(request, request.usage);
  row.model = model;
  if (row.model == 0 && request.price != nullptr) row.model = ledger_.word(request.price->model);
  row.status = static_cast<int>(request.status);
  row.cost = request.cost;
  row.list_cost = request.list_cost;
  const Instant now = clock_.now();
  const Instant first = request.first_byte == Instant{} ? now : request.first_byte;
  row.duration_ms = std::chrono::duration_cast<milliseconds>(now - request.started).count();
  row.first_byte_ms = std::chrono::duration_cast<milliseconds>(first - request.started).count();
  row.stream = request.facts.stream;
  return row;
}

Billing::Counters& Billing::counters_of(const Price& price) {
  const auto known = counters_.find(price.model);
  if (known != counters_.end()) return known->second;
  const std::string label = "model=\"" + escape_label(price.model) + '"';
  return counters_.emplace(price.model, Counters{
      metrics_.counter("proxyxai_input_tokens_total", "Input tokens by the model they are priced as.", label),
      metrics_.counter("proxyxai_output_tokens_total", "Output tokens by the model they are priced as.", label),
      metrics_.counter("proxyxai_list_cost_dollars_total", "Cost at list price by the model it is priced as.", label, Scale::nano)}).first->second;
}

void Billing::count(const Price& price, const Usage& usage, Money cost) {
  Counters& counters = counters_of(price);
  counters.input.add(static_cast<std::uint64_t>(std::max<std::int64_t>(usage.input, 0)));
  counters.output.add(static_cast<std::uint64_t>(std::max<std::int64_t>(usage.output, 0)));
  counters.cost.add(static_cast<std::uint64_t>(cost.nanos));
}

Task<bool> Billing::bill(RequestContext& request) {
  if (request.billed) co_return true;
  // Only names that upstream gave, or that have a price: clients cannot fill the table.
  const std::string_view told = answered_by(request);
  std::int64_t model = ledger_.word(told);
  if (model == 0 && !told.empty()) {
    std::string name(told.substr(0, max_model));
    model = co_await ledger_.learn(std::move(name));
  }
  UsageRow row = row_of(request, model);
  request.billed = true;
  const bool waits = row.cost.nanos > 0;
  if (!waits) {
    ledger_.note(request.account, std::move(row));
    co_return true;
  }
  const bool stored = co_await ledger_.charge(request.account, std::move(row));
  if (stored) count(*request.price, request.usage, request.list_cost);
  else request.cost = request.list_cost = {};
  co_return stored;
}

void Billing::settle(RequestContext& request) {
  // What never reached upstream leaves no row: refusals would let anyone fill the disk.
  if (request.account && !request.billed && request.attempts > 0) {
    request.billed = true;
    // On a Responses socket whatever was sent asks for an answer, but for a frame that says goodbye; a realtime session is also
    // sent what asks for none.
    const bool is_in_turn = request.delivered > 0 || (request.endpoint == "responses" && request.sent_bytes >= shortest_turn);
    if (request.upgrade && request.status == 101 && is_in_turn) {
      // It ended before upstream told of the last response.
      Usage rest = pending_turn(request, false);
      rest.estimated = true;
      UsageRow row = row_of_turn(request, rest, *request.price);
      count(*request.price, rest, row.list_cost);
      ledger_.note(request.account, std::move(row));
    } else if (!request.upgrade || !request.usage.given) {
      ledger_.note(request.account, row_of(request, ledger_.word(answered_by(request))));
      if (request.list_cost.nanos > 0) count(*request.price, request.usage, request.list_cost);
    }
  }
  // What is charged later counts in the limits as it was promised.
  if (request.is_pending) request.hold.release();
  else request.hold.settle(request.usage.input + request.usage.output, clock_.now());
}

Usage Billing::known_usage(const RequestContext& request) {
  Usage usage = usage_asked_for(request, false);
  usage.output = request.delivered;
  return usage;
}

Task<bool> Billing::bill_pending(AccountPtr account, PendingBill bill, Usage usage, std::string model, Money least) {
  const Price* price = prices_->find(model);
  if (price == nullptr) price = &prices_->fallback();
  if (ledger_.word(model) == 0) {
    std::string name = model;
    co_await ledger_.learn(std::move(name));
  }
  UsageRow row;
  row.path = ledger_.word(bill.endpoint);
  row.model = ledger_.word(model.empty() ? std::string_view(price->model) : std::string_view(model));
  row.key_id = bill.key;
  row.status = 200;
  row.input = usage.input;
  row.cached = usage.cached;
  row.output = usage.output;
  row.estimated = usage.estimated;
  row.request_id = bill.id;
  row.settles_pending = true;
  row.duration_ms = std::max<std::int64_t>(to_unix_ms(clock_.wall_now()) - to_unix_ms(bill.made), 0);
  row.list_cost = cost_of(usage, *price);
  row.cost = std::max(cost_of(usage, *price, account->row.rates), least);
  const Money list_cost = row.list_cost;
  const bool stored = co_await ledger_.charge(account, std::move(row));
  if (stored) count(*price, usage, list_cost);
  co_return stored;
}

UsageRow Billing::row_of_turn(RequestContext& request, const Usage& usage, const Price& price) {
  UsageRow row = new_row(request, usage);
  row.cost = cost_of(usage, price, request.account->row.rates);
  row.list_cost = cost_of(usage, price);
  row.model = ledger_.word(price.model);
  row.status = 101;
  row.stream = true;
  request.usage.add(usage);
  request.context_tokens = usage.input + usage.output;
  request.delivered = request.sent_bytes = 0;
  return row;
}

Task<bool> Billing::bill_event(RequestContext& request, const EventUsage& event) {
  if (request.price == nullptr) co_return true;
  request.delivered += event.delivered;
  if (!event.usage.given) co_return true;
  const Price& price = price_of(request, event.model);
  UsageRow row = row_of_turn(request, event.usage, price);
  const Money list_cost = row.list_cost;
  request.hold.shrink_to(settings_.hold_step);
  request.hold.use(event.usage.input + event.usage.output, clock_.now());
  const bool stored = co_await ledger_.charge(request.account, std::move(row));
  if (stored) count(price, event.usage, list_cost);
  co_return stored;
}

bool Billing::covers_socket(RequestContext& request) const {
  if (request.price == nullptr || request.account->row.is_root) return true;
  // What was reserved is there no more once other turns have used it up.
  if (request.account->available().nanos < 0) return false;
  const Money pending = cost_of(pending_turn(request, true), *request.price, request.account->row.rates);
  if (pending <= request.hold.money()) return true;
  return request.hold.top_up(std::max(pending - request.hold.money(), settings_.hold_step));
}

}  // namespace proxyxai
