#include <algorithm>

#include <spdlog/spdlog.h>

#include "proxyxai/base/random.hpp"
#include "proxyxai/base/timer.hpp"
#include "proxyxai/http/hygiene.hpp"
#include "proxyxai/keys/classify.hpp"
#include "proxyxai/proxy/estimate.hpp"
#include "proxyxai/proxy/gateway.hpp"

namespace proxyxai {
namespace asio = boost::asio;

namespace {

/// Holds the header lines of nearly every request, in one allocation.
constexpr std::size_t head_room = 960;

std::chrono::nanoseconds jittered(milliseconds upper) {
  const auto whole = std::chrono::nanoseconds(upper);
  return whole / 4 + std::chrono::nanoseconds(random_u64() % static_cast<std::uint64_t>(whole.count() * 3 / 4 + 1));
}

/// What a limit of upstream is kept for: the model, and where there is none the class of path, so that one of them does not
/// stop all others.
std::string_view limit_subject(const RequestContext& request) {
  return request.facts.model.empty() ? request.endpoint : std::string_view(request.facts.model);
}

/// What the request may use: a guess, until upstream tells.
std::int64_t expected_tokens(const RequestContext& request) {
  if (request.price == nullptr) return 0;
  const std::int64_t output = request.facts.max_tokens.value_or(std::min(request.price->max_output, usual_output));
  return estimate_input(request.facts, false) + output;
}

/// What tells of an outage. Faults of keys and of callers do not: a caller could bring them about for others.
bool is_outage(Fault fault) {
  return fault == Fault::upstream || fault == Fault::overloaded || fault == Fault::stale_connection;
}

ApiError no_upstream() {
  return {503, "no_upstream_available", "No upstream is available for this request now. Try again later.", {}, false};
}

/// The key that holds what the request names is in the pool no more.
ApiError gone(const std::string& reason) {
  return {410, "object_gone", "The upstream key that holds this object is no longer in service (" + (reason.empty() ? "removed" : reason) +
                                  "), and the object with it. Make it again.", {}, true};
}

/// Every key is at its limit, and the first is back after `wait`.
ApiError at_limit(std::chrono::nanoseconds wait) {
  const auto whole = std::chrono::ceil<seconds>(std::max(wait, std::chrono::nanoseconds::zero()));
  ApiError error{429, "rate_limit_exceeded", "Every upstream key is at its limit. Try again in " + std::to_string(whole.count()) + " s.", {}, false};
  error.retry_after = std::chrono::ceil<milliseconds>(wait);
  return error;
}

/// When the key may be used again, when a good answer says that nothing is left on it.
std::optional<milliseconds> zero_capacity_reset(const Fields& fields) {
  std::string_view requests, tokens, requests_reset, tokens_reset;
  for (const Field& each : fields) {
    if (each.id != beast_http::field::unknown || !starts_with_lower(each.name, "x-ratelimit-re")) continue;
    if (equals_lower(each.name, "x-ratelimit-remaining-requests")) requests = each.value;
    else if (equals_lower(each.name, "x-ratelimit-remaining-tokens")) tokens = each.value;
    else if (equals_lower(each.name, "x-ratelimit-reset-requests")) requests_reset = each.value;
    else if (equals_lower(each.name, "x-ratelimit-reset-tokens")) tokens_reset = each.value;
  }
  std::optional<milliseconds> reset;
  if (requests == "0") reset = parse_reset(requests_reset);
  if (tokens == "0") {
    const auto later = parse_reset(tokens_reset);
    if (later && (!reset || *later > *reset)) reset = later;
  }
  return reset;
}

}  // namespace

/// The client has gone: upstream is let go. An answer that has been asked for may be wanted to its end all the same.
void Gateway::on_left(RequestContext& request) const {
  UpstreamConnection* const connection = request.exchange.connection();
  if (connection == nullptr || !request.reads_on()) {
    request.exchange.cancel();
    return;
  }
  request.left_at = parts_.clock.now();
  connection->deadline().set(read_on_time);
}

/// Waits, but not for longer than the client does.
Task<void> Gateway::pause(RequestContext& request, std::chrono::nanoseconds length) const {
  Timer timer(request.client.stream().executor(), length);
  request.client.watch([&timer, &request] {
    request.exchange.cancel();
    timer.cancel();
  });
  co_await timer.async_wait(use_result_task);
  request.client.watch([this, &request] { on_left(request); });
}

KeyPool::Wanted Gateway::wanted(const RequestContext& request) const {
  KeyPool::Wanted wanted;
  wanted.model = limit_subject(request);
  wanted.endpoint = request.endpoint;
  wanted.tried = {request.tried.data(), request.tried.size()};
  wanted.only = request.only_key;
  if (request.goes_home) {
    // Responses alone keep no account to one key: only those that may be used with files and the like do.
    const KeyId home = parts_.objects.home(request.account->row.dna, request.endpoint == "responses");
    if (home != 0) wanted.preferred = home;
  }
  wanted.prompt = request.prompt;
  wanted.tokens = expected_tokens(request);
  return wanted;
}

Task<Gateway::Refusal> Gateway::forward(RequestContext& request) {
  // How long the client took for its body is no fault of a key's.
  request.forwarded = parts_.clock.now();
  request.fields.reserve(head_room);
  append_upstream_fields(request.fields, request.client.fields(), request.upgrade);
  // What upstream writes down of a request can be found by the id that is in the access log here, also where no answer came.
  if (find(request.client.fields(), "x-client-request-id").empty()) request.fields.append("X-Client-Request-Id: ").append(request.request_id).append("\r\n");
  Outgoing outgoing;
  outgoing.method = request.client.request().method();
  outgoing.path = request.path;
  outgoing.add_prefix = request.route.add_prefix;
  outgoing.query = request.query;
  outgoing.fields = request.fields;
  outgoing.body = &request.body;
  outgoing.upgrade = request.upgrade;
  request.client.watch([this, &request] { on_left(request); });
  budget_.on_request(request.forwarded);
  ErrorAnswer last;
  for (;;) {
    // Choose.
    KeyPool::Choice choice = parts_.pool.choose(wanted(request));
    if (!choice.lease) {
      Refusal refusal = no_upstream();
      if (choice.absence == KeyPool::Absence::gone) refusal = gone(choice.reason);
      if (choice.absence == KeyPool::Absence::disabled) refusal->message = "The upstream key that holds this object is disabled now. Try again later.";
      if (choice.ready_at) refusal = co_await wait_for_key(request, *choice.ready_at);
      if (!refusal) continue;
      if (last.status == 0 || refusal->code == "client_gone") co_return refusal;
      break;
    }
    if (is_avoided(request, choice.lease->id)) {
      Attempt none;
      none.key = choice.lease->id;
      none.fault = Fault::ours;
      parts_.pool.report(none, limit_subject(request), request.endpoint);
      co_return item_not_found();
    }
    request.lease = std::move(choice.lease);
    if (request.goes_home && request.object && binds(request.object->kind)) parts_.objects.begin_home(request.account->row.dna, request.lease->id);
    // Forward.
    co_await attempt(request, outgoing, *request.lease);
    const Attempt& ended = request.exchange.attempt();
    if (ended.fault == Fault::client_gone) co_return client_gone();
    if (ended.fault != Fault::none) {
      spdlog::debug("request {}: attempt {} with upstream key {} came to {} {}", request.request_id, request.attempts, ended.key, to_string(ended.fault), ended.reason);
    }
    if (request.left_at != Instant{} && (ended.status == 0 || ended.status >= 400)) co_return client_gone();
    // Decide.
    const Instant now = request.attempt_ended;
    const RetryState state{request.attempts, request.forwarded, parts_.pool.untried_left(wanted(request)),
                           request.unknown_model_answers, true};
    const NextStep step = decide(settings_.retry, state, ended, budget_, now);
    if (step == NextStep::relay && request.exchange.connection() != nullptr) {
      note_capacity(request);
      if (ended.status == 101) co_await relay_.tunnel(request);
      else co_await relay_.pass(request);
      if (ended.fault == Fault::none && ended.status != 101) note_body(request);
      co_return std::nullopt;
    }
    if (ended.status >= 500 && request.exchange.is_error_complete()) last = std::move(request.exchange.error_answer());
    request.exchange.release();
    // What upstream has refused has used nothing.
    if (ended.status >= 400) request.lease.used(0);
    request.lease.end();
    if (step == NextStep::retry || step == NextStep::retry_paused) {
      parts_.observer.on_retry(ended);
      if (step == NextStep::retry_paused) co_await pause(request, jittered(settings_.retry.pause));
      if (request.exchange.is_cancelled()) co_return client_gone();
      continue;
    }
    // Every key is cooling: the earliest may be back soon enough.
    const bool attempts_left = request.attempts < settings_.retry.attempts;
    if (ended.fault == Fault::rate_limited && attempts_left && !state.untried_key_left) continue;
    if (ended.fault == Fault::egress) {
      spdlog::error("upstream refuses the country or region of this host's address ({}): no key can mend that", ended.reason);
    }
    request.reason = ended.reason;
    break;
  }
  if (request.only_key && request.fault == Fault::dead) co_return gone(request.exchange.attempt().reason);
  if (last.status == 0 && request.fault == Fault::rate_limited) {
    co_return at_limit(request.exchange.attempt().retry_after.value_or(milliseconds(1'000)));
  }
  if (last.status == 0) co_return no_upstream();
  co_await relay_.pass_saved(request, last);
  co_return std::nullopt;
}

Task<void> Gateway::attempt(RequestContext& request, const Outgoing& outgoing, const UpstreamKey& key) {
  Exchange& exchange = request.exchange;
  const Instant deadline = request.forwarded + settings_.retry.deadline;
  bool fresh = false;
  for (;;) {
    const Instant begun = parts_.clock.now();
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - begun);
    const Exchange::Limits limits{std::clamp(left, milliseconds(1), settings_.first_byte_timeout), settings_.idle_timeout, fresh};
    ++request.attempts;
    co_await exchange.run(outgoing, key, limits);
    request.attempt_ended = parts_.clock.now();
    request.upstream_time += request.attempt_ended - begun;
    parts_.observer.on_attempt(exchange.attempt());
    budget_.on_attempt(is_outage(exchange.attempt().fault), begun);
    // A kept connection that died under the request says nothing about the key: the same key, on a connection that
    // cannot have grown old. The next kept one may be as dead.
    const bool stale = exchange.attempt().fault == Fault::stale_connection;
    if (!stale || fresh || request.attempts >= settings_.retry.attempts) break;
    parts_.observer.on_retry(exchange.attempt());
    fresh = true;
  }
  const Attempt& ended = exchange.attempt();
  request.fault = ended.fault;
  if (ended.fault == Fault::unknown_model) ++request.unknown_model_answers;
  const bool known = std::find(request.tried.begin(), request.tried.end(), key.id) != request.tried.end();
  if (!known && request.tried.size() < request.tried.capacity()) request.tried.push_back(key.id);
  parts_.pool.report(ended, limit_subject(request), request.endpoint);
}

Task<Gateway::Refusal> Gateway::wait_for_key(RequestContext& request, Instant ready_at) {
  const Instant now = parts_.clock.now();
  // Who is told to look again and again has waited all the same.
  if (request.waits_until == Instant{}) request.waits_until = now + settings_.max_wait;
  const auto wait = ready_at - now;
  const bool in_time = ready_at <= request.waits_until && ready_at < request.forwarded + settings_.retry.deadline;
  if (!in_time || request.attempts >= settings_.retry.attempts) co_return at_limit(wait);
  // A little late rather than a little early.
  co_await pause(request, wait + std::chrono::milliseconds(1));
  if (request.exchange.is_cancelled()) co_return client_gone();
  co_return std::nullopt;
}

/// An answer that upstream fell silent in says nothing of the key: a caller may have asked for one.
void Gateway::note_body(RequestContext& request) {
  const bool is_whole = request.exchange.connection() == nullptr;
  if (is_whole) parts_.pool.report_body(request.lease->id, true);
  else if (request.reason == "upstream_truncated" && !request.exchange.connection()->timed_out()) parts_.pool.report_body(request.lease->id, false);
}

void Gateway::note_capacity(RequestContext& request) {
  if (request.exchange.connection() == nullptr || request.fault != Fault::none) return;
  const auto reset = zero_capacity_reset(request.exchange.connection()->fields());
  if (reset) parts_.pool.note_zero_remaining(request.lease->id, limit_subject(request), *reset);
}

}  // namespace proxyxai
