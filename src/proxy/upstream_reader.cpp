#include "proxyxai/proxy/upstream_reader.hpp"

#include "proxyxai/base/enlisted.hpp"
#include "proxyxai/proxy/exchange.hpp"
#include "proxyxai/proxy/route.hpp"

namespace proxyxai {
namespace {

constexpr milliseconds patience{15'000};
constexpr unsigned most_attempts = 3;

}  // namespace

/// Waits for the key while it may be back in time. No lease: it may not, or it is absent.
Task<KeyPool::Choice> UpstreamReader::choose(KeyId key, std::string_view endpoint, Instant until) {
  KeyPool::Wanted wanted;
  wanted.endpoint = endpoint;
  wanted.only = key;
  KeyPool::Choice choice;
  while (!is_stopped_) {
    choice = parts_.pool.choose(wanted);
    if (choice.lease || !choice.ready_at || *choice.ready_at > until) break;
    Timer timer(parts_.executor, *choice.ready_at - parts_.clock.now());
    const Enlisted<Timer> waiting(waiting_, &timer);
    co_await timer.async_wait(use_result_task);
  }
  co_return choice;
}

Task<UpstreamReader::Answer> UpstreamReader::get(KeyId key, std::string path, std::string fields, std::size_t most) {
  const std::string_view endpoint = endpoint_names()[find_route(path).endpoint];
  const Instant until = parts_.clock.now() + max_wait_;
  RequestBody nothing(parts_.bodies);
  Outgoing outgoing;
  outgoing.method = "GET";
  outgoing.path = path;
  outgoing.fields = fields;
  outgoing.body = &nothing;
  Exchange exchange(parts_.origins);
  const Enlisted<Exchange> under_way(under_way_, &exchange);
  Answer answer;
  Fault fault = Fault::none;
  for (unsigned attempts = 0; attempts < most_attempts && !is_stopped_; ++attempts) {
    const KeyPool::Choice choice = co_await choose(key, endpoint, until);
    answer.absence = choice.absence;
    if (!choice.lease) co_return answer;
    // A kept connection may have died; a fresh one has not.
    const Exchange::Limits limits{patience, patience, fault == Fault::stale_connection};
    co_await exchange.run(outgoing, *choice.lease, limits);
    parts_.pool.report(exchange.attempt(), {}, endpoint);
    fault = exchange.attempt().fault;
    // Of a dead key the pool says so when it is asked again.
    if (fault != Fault::stale_connection && fault != Fault::rate_limited && fault != Fault::dead) break;
  }
  answer.status = exchange.answered_status();
  if (exchange.connection() == nullptr) answer.status = 0;
  if (answer.status >= 400) {
    answer.body = std::move(exchange.error_answer().body);
    exchange.release();
  } else if (answer.status > 0) {
    co_await read_body(exchange, most, answer);
  }
  co_return answer;
}

Task<void> UpstreamReader::read_body(Exchange& exchange, std::size_t most, Answer& answer) {
  UpstreamConnection& upstream = *exchange.connection();
  UpstreamConnection::Body piece = upstream.buffered_body();
  for (;;) {
    answer.body.append(piece.data);
    if (!piece.failure.empty() || answer.body.size() > most) {
      exchange.cancel();
      answer.is_too_long = piece.failure.empty();
      if (!answer.is_too_long) answer.status = 0;
      answer.body.clear();
      co_return;
    }
    if (piece.done) break;
    piece = co_await upstream.read_body(patience);
  }
  exchange.release();
}

void UpstreamReader::stop() {
  is_stopped_ = true;
  for (Exchange* const each : under_way_) each->cancel();
  for (Timer* const each : waiting_) each->cancel();
}

}  // namespace proxyxai
