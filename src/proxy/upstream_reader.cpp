#include "proxyxai/proxy/upstream_reader.hpp"

#include "proxyxai/base/enlisted.hpp"
#include "proxyxai/proxy/exchange.hpp"

namespace proxyxai {
namespace {

constexpr milliseconds patience{15'000};

}  // namespace

Task<UpstreamReader::Answer> UpstreamReader::get(UpstreamKeyPtr key, std::string path, std::string fields, std::size_t most) const {
  RequestBody nothing(bodies_);
  Outgoing outgoing;
  outgoing.method = "GET";
  outgoing.path = path;
  outgoing.fields = fields;
  outgoing.body = &nothing;
  Exchange exchange(origins_);
  Answer answer;
  if (is_stopped_) co_return answer;
  const Enlisted<Exchange> under_way(under_way_, &exchange);
  // A kept connection may have died; a fresh one has not.
  for (const bool is_fresh : {false, true}) {
    const Exchange::Limits limits{patience, patience, is_fresh};
    co_await exchange.run(outgoing, *key, limits);
    if (exchange.attempt().fault != Fault::stale_connection) break;
  }
  answer.status = exchange.answered_status();
  if (answer.status == 0 || exchange.connection() == nullptr) co_return answer;
  if (answer.status >= 400) {
    answer.body = std::move(exchange.error_answer().body);
    exchange.release();
    co_return answer;
  }
  UpstreamConnection& upstream = *exchange.connection();
  UpstreamConnection::Body piece = upstream.buffered_body();
  for (;;) {
    answer.body.append(piece.data);
    if (!piece.failure.empty() || answer.body.size() > most) {
      exchange.cancel();
      const bool is_too_long = piece.failure.empty();
      answer.body.clear();
      answer.status = is_too_long ? answer.status : 0;
      answer.is_too_long = is_too_long;
      co_return answer;
    }
    if (piece.done) break;
    piece = co_await upstream.read_body(patience);
  }
  exchange.release();
  co_return answer;
}

void UpstreamReader::stop() {
  is_stopped_ = true;
  for (Exchange* const each : under_way_) each->cancel();
}

}  // namespace proxyxai
