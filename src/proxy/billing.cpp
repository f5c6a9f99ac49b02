#include "proxyxai/proxy/billing.hpp"

#include <algorithm>
#include <limits>

#include <spdlog/spdlog.h>

namespace proxyxai {
namespace {

// Where upstream tells nothing, what is commonly so.
constexpr std::int64_t bytes_in_token = 4, bytes_in_token_generous = 3;
constexpr std::int64_t tokens_in_image = 1'100;
constexpr std::int64_t bytes_in_second = 16'000;      // of compressed audio, 128 kbit/s
constexpr std::int64_t tokens_in_second = 40;         // of audio to transcribe
constexpr std::int64_t speech_fifths = 7;             // fifths of an audio token for a character that is spoken
constexpr std::int64_t characters_in_second = 18;     // of speech, spoken fast
constexpr std::int64_t stored_context = 100'000;      // tokens reserved for what upstream reads from its own store
constexpr std::int64_t realtime_context = 32'000;     // tokens that a realtime model reads at most
constexpr std::int64_t bytes_in_audio_token = 6'400;  // of base64 that the client speaks into a realtime session
constexpr std::int64_t shortest_turn = 64;            // bytes of a frame that asks for an answer
constexpr std::int64_t most_tokens = 1'000'000'000;
constexpr std::size_t most_warned = 1'000;

bool is_image(std::string_view endpoint) { return endpoint.starts_with("images/"); }

std::int64_t audio_milliseconds(const RequestFacts& facts) {
  return facts.audio_ms > 0 ? facts.audio_ms : facts.file_bytes * 1'000 / bytes_in_second;
}

/// What the request alone says it will use; its output is not known.
Usage usage_asked_for(const RequestContext& request, bool generous) {
  const RequestFacts& facts = request.facts;
  Usage usage;
  if (request.endpoint == "audio/speech") {
    usage.characters = facts.characters;
    usage.input = estimate_input(facts, generous);
  } else if (is_transcription(request.endpoint)) {
    usage.milliseconds = audio_milliseconds(facts);
    usage.input = usage.milliseconds * tokens_in_second / 1'000;
  } else if (request.endpoint == "batches") {
    usage.input = request.input_bytes / bytes_in_token;
    usage.tier = "batch";
  } else if (is_image(request.endpoint)) {
    usage.images = facts.n;
    usage.image_kind = facts.quality + "/" + facts.size;
    usage.input = estimate_input(facts, generous);
  } else {
    usage.input = estimate_input(facts, generous);
    if (generous && (facts.refers_to_stored || (request.endpoint == "threads" && !facts.stream))) usage.input += stored_context;
  }
  return usage;
}

/// How many answers upstream makes for one request.
std::int64_t choices_of(const RequestContext& request) {
  if (is_image(request.endpoint)) return 1;
  const RequestFacts& facts = request.facts;
  return request.endpoint == "completions" ? facts.prompts * std::max(facts.n, facts.best_of) : facts.n;
}

/// The tier that was asked for, where it makes the request dearer: that it became cheaper is upstream's to say.
std::string dearer_tier(const RequestContext& request) {
  constexpr std::int64_t list = 1'000;
  const auto& tiers = request.price->tiers;
  const auto found = tiers.find(request.facts.tier);
  return found != tiers.end() && found->second > list ? request.facts.tier : std::string();
}

/// Only pieces are counted, so that counting them is no estimate.
bool is_priced_by_unit(const Price& price) {
  return price.input == 0 && price.output == 0 && (price.million_characters || price.second || !price.images.empty());
}

bool charges_units(const Price& price, const Usage& usage) {
  return (usage.characters > 0 && price.million_characters) || (usage.milliseconds > 0 && price.second) ||
         (usage.images > 0 && !price.images.empty());
}

/// Nano-dollars of the account's book for a million output tokens.
double output_price(const RequestContext& request) {
  return static_cast<double>(request.price->output) * static_cast<double>(request.account->row.rates) / static_cast<double>(list_rate);
}

/// What a WebSocket has used since upstream told its usage last. Generous: what it may have, which is to be reserved.
Usage pending_turn(const RequestContext& request, bool generous) {
  Usage turn;
  turn.output = request.delivered;
  if (request.endpoint == "realtime" && !generous) {
    turn.input = turn.audio_input = request.sent_bytes / bytes_in_audio_token;
  } else {
    turn.input = request.sent_bytes / bytes_in_token;
    if (request.endpoint == "realtime") turn.input = std::min(turn.input, realtime_context);
  }
  // A turn that has begun has read what came before it.
  if (generous || turn.output > 0) turn.input += request.context_tokens;
  return turn;
}

std::int64_t tokens_for(const RequestContext& request, Money amount) {
  const double price = output_price(request);
  if (price <= 0 || amount.nanos <= 0) return amount.nanos <= 0 ? 0 : most_tokens;
  return static_cast<std::int64_t>(std::min(static_cast<double>(amount.nanos) * 1e6 / price, static_cast<double>(most_tokens)));
}

}  // namespace

bool costs_money(const RequestContext& request) {
  // What is not known to cost nothing is metered: upstream may give a new path a price, or an old one a second name.
  static constexpr std::string_view free[] = {"moderations", "files", "uploads", "models", "fine_tuning", "assistants", "vector_stores",
                                              "conversations", "containers", "evals", "videos"};
  if (request.client.request().method() != "POST" && !request.upgrade) return false;
  if (request.endpoint == "threads") return request.path.find("/runs") != request.path.npos && !request.path.ends_with("/cancel");
  const bool listed = std::find(std::begin(free), std::end(free), request.endpoint) != std::end(free);
  const bool asks_nothing = (request.endpoint == "responses" && (request.path.ends_with("/input_tokens") || request.path.ends_with("/cancel"))) ||
                            (request.endpoint == "batches" && request.path.ends_with("/cancel"));
  return !listed && !asks_nothing;
}

bool is_transcription(std::string_view endpoint) { return endpoint == "audio/transcriptions" || endpoint == "audio/translations"; }

std::string_view default_model(std::string_view endpoint) {
  if (endpoint == "images/variations") return "dall-e-2";
  if (endpoint == "images/edits") return "gpt-image-1.5";
  if (endpoint == "images/generations") return "dall-e-2";
  return {};
}

std::int64_t estimate_input(const RequestFacts& facts, bool generous) {
  const std::int64_t of_text = facts.text_bytes / (generous ? bytes_in_token_generous : bytes_in_token) + 1;
  return std::min(of_text + (facts.data_urls + facts.links) * tokens_in_image, most_tokens);
}

Billing::Billing(Ledger& ledger, Metrics& metrics, Clock& clock, Settings settings)
    : ledger_(ledger), metrics_(metrics), clock_(clock), settings_(settings) {}

const Price& Billing::price_of(RequestContext& request, std::string_view answered_by) const {
  // The usual answer is by the model that was asked for, whose price `hold` has found.
  if (request.price != nullptr && answered_by == request.price->model) return *request.price;
  for (const std::string_view model : {answered_by, std::string_view(request.facts.model), default_model(request.endpoint)}) {
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
  Usage whole = asked;
  whole.output = std::max<std::int64_t>(most_output, 0);
  const Money prompt = cost_of(asked, *request.price, rate);
  const Money full = request.upgrade ? settings_.hold_step : cost_of(whole, *request.price, rate);
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

void Billing::complete_usage(RequestContext& request) {
  Usage usage;
  if (request.meter) usage = request.meter->usage();
  if (!usage.given) {
    const Usage asked = usage_asked_for(request, false);
    const Price& price = *request.price;
    usage.characters = asked.characters;
    usage.estimated = !is_priced_by_unit(price);
    if (usage.milliseconds == 0) {
      // A low bit rate makes a long recording small; what was said in it tells too.
      usage.milliseconds = asked.milliseconds;
      if (is_transcription(request.endpoint) && request.facts.audio_ms == 0) {
        usage.milliseconds = std::max(usage.milliseconds, request.delivered * bytes_in_token * 1'000 / characters_in_second);
      }
      usage.estimated = usage.estimated || (is_transcription(request.endpoint) && request.facts.audio_ms == 0);
    }
    if (usage.images == 0) usage.images = asked.images;
    // The price of a piece is the whole price: tokens would be charged on top of it.
    if (!charges_units(price, usage)) {
      usage.input = asked.input;
      usage.output = request.delivered;
      if (request.endpoint == "audio/speech") usage.output = usage.audio_output = asked.characters * speech_fifths / 5;
    }
  }
  if (usage.image_kind.empty() && is_image(request.endpoint)) usage.image_kind = request.facts.quality + "/" + request.facts.size;
  if (!request.meter || !request.meter->tells_tier()) usage.tier = dearer_tier(request);
  request.usage = std::move(usage);
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

UsageRow Billing::row_of(RequestContext& request) {
  // Failed attempts cost the client nothing; the responses of a WebSocket have rows of their own.
  const Attempt& last = request.exchange.attempt();
  const bool was_asked = last.sent > 0 && (last.fault == Fault::none || last.fault == Fault::client_gone);
  const bool costs = request.price != nullptr && !request.is_pending && request.status != 101 && (request.status < 400 || (request.status == client_left && was_asked));
  const std::string_view answered_by = request.meter ? request.meter->model() : std::string_view();
  if (costs) {
    const Price& price = price_of(request, answered_by);
    request.price = &price;
    complete_usage(request);
    request.cost = cost_of(request.usage, price, request.account->row.rates);
    request.list_cost = cost_of(request.usage, price);
  }
  UsageRow row = new_row(request, request.usage);
  row.model = ledger_.word(answered_by);
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
  const std::string_view answered_by = request.meter ? request.meter->model() : std::string_view();
  // Only names that upstream gave, or that have a price: clients cannot fill the table.
  if (!answered_by.empty() && ledger_.word(answered_by) == 0) {
    std::string name(answered_by.substr(0, max_model));
    co_await ledger_.learn(std::move(name));
  }
  UsageRow row = row_of(request);
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
      ledger_.note(request.account, row_of(request));
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
