#include <array>
#include <vector>

#include <boost/asio/co_spawn.hpp>

#include "proxyxai/base/timer.hpp"
#include "proxyxai/proxy/relay.hpp"
#include "proxyxai/proxy/websocket_reader.hpp"

namespace proxyxai {
namespace asio = boost::asio;

namespace {

constexpr std::size_t piece_size = 16 << 10;
/// How long one direction may go on after the other has ended.
constexpr milliseconds farewell{5'000};

}  // namespace

Task<void> Relay::pump_up(RequestContext& request) const {
  Connection& client = request.client;
  UpstreamConnection& upstream = *request.exchange.connection();
  // What the client sent behind its request head belongs to the tunnel, not to a parser.
  std::string ahead(client.input().view());
  client.input().consume(ahead.size());
  std::array<char, piece_size> piece;
  asio::const_buffer out(ahead.data(), ahead.size());
  for (;;) {
    if (out.size() > 0) {
      const auto failed = co_await upstream.stream().write({&out, 1});
      if (failed) break;
    }
    client.deadline().set(idle_timeout_);
    upstream.deadline().set(idle_timeout_);
    const Transfer got = co_await client.stream().read_some(asio::buffer(piece));
    if (got.error || got.bytes == 0) break;
    out = asio::const_buffer(piece.data(), got.bytes);
  }
  upstream.stream().shutdown_send();
  upstream.deadline().set(farewell);
}

Task<void> Relay::pump_down(RequestContext& request) const {
  Connection& client = request.client;
  UpstreamConnection& upstream = *request.exchange.connection();
  std::string ahead(upstream.input().view());
  upstream.input().consume(ahead.size());
  std::array<char, piece_size> piece;
  asio::const_buffer out(ahead.data(), ahead.size());
  std::vector<EventUsage> events;
  WebSocketReader reader([&events](std::string_view message) {
    EventUsage told = read_event_usage(message);
    if (told.usage.given || told.delivered > 0) events.push_back(std::move(told));
  });
  bool has_credit = true, is_stored = true;
  for (;;) {
    if (out.size() > 0) {
      reader.feed({static_cast<const char*>(out.data()), out.size()});
      for (const EventUsage& each : events) {
        const bool stored = co_await billing_.bill_event(request, each);
        is_stored = is_stored && stored;
      }
      has_credit = events.empty() || billing_.covers_socket(request);
      events.clear();
      if (!is_stored) {
        request.reason = "storage_unavailable";
        upstream.cancel();
        break;
      }
      const bool written = co_await client.write({&out, 1});
      if (!written) break;
    }
    if (!has_credit) {
      request.reason = "insufficient_quota";
      upstream.cancel();
      break;
    }
    client.deadline().set(idle_timeout_);
    upstream.deadline().set(idle_timeout_);
    const Transfer got = co_await upstream.stream().read_some(asio::buffer(piece));
    if (got.error || got.bytes == 0) break;
    out = asio::const_buffer(piece.data(), got.bytes);
  }
  client.stream().shutdown_send();
  client.deadline().set(farewell);
}

Task<void> Relay::tunnel(RequestContext& request) const {
  std::string head;
  compose_head(head, request);
  request.keep_alive = false;
  begin(request, 101);
  asio::const_buffer out(head.data(), head.size());
  const bool written = co_await request.client.write({&out, 1});
  if (!written) co_return;
  // From here both sides are read, so each notices by itself when its peer leaves.
  request.client.unwatch();
  const Executor executor = request.client.stream().executor();
  Timer up_ended(executor, Timer::time_point::max());
  bool is_up_ended = false;
  asio::co_spawn(executor, pump_up(request), [&](std::exception_ptr) {
    is_up_ended = true;
    up_ended.cancel();
  });
  co_await pump_down(request);
  if (!is_up_ended) co_await up_ended.async_wait(use_result_task);
  request.exchange.connection()->cancel();
}

}  // namespace proxyxai
