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

/// The frame that ends a WebSocket (RFC 6455 section 5.5.1); `reason` is short.
std::string close_frame(std::uint16_t code, std::string_view reason) {
  std::string frame{'\x88', static_cast<char>(2 + reason.size()), static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  return frame.append(reason);
}
constexpr std::string_view out_of_credit = "insufficient_quota";
constexpr std::uint16_t policy_violation = 1008, try_again_later = 1013;

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
      request.sent_bytes += static_cast<std::int64_t>(out.size());
      if (!billing_.covers_socket(request)) {
        request.reason = out_of_credit;
        upstream.cancel();
        break;
      }
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
  EventReader event;
  WebSocketReader reader([&events, &event](std::string_view part, bool is_last) {
    event.feed(part);
    if (!is_last) return;
    EventUsage told = event.end();
    if (told.usage.given || told.delivered > 0) events.push_back(std::move(told));
  });
  bool has_credit = true, is_stored = true;
  bool is_between_frames = true;  // what the client has ends with a frame
  std::string farewell_frame;
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
        farewell_frame = close_frame(try_again_later, request.reason);
        break;
      }
      const bool written = co_await client.write({&out, 1});
      if (!written) break;
      is_between_frames = reader.is_between_frames();
    }
    if (!has_credit) request.reason = out_of_credit;
    if (request.reason == out_of_credit) break;
    client.deadline().set(idle_timeout_);
    upstream.deadline().set(idle_timeout_);
    const Transfer got = co_await upstream.stream().read_some(asio::buffer(piece));
    if (got.error || got.bytes == 0) break;
    out = asio::const_buffer(piece.data(), got.bytes);
  }
  if (request.reason == out_of_credit) farewell_frame = close_frame(policy_violation, request.reason);
  if (!farewell_frame.empty()) {
    upstream.cancel();
    asio::const_buffer frame(farewell_frame.data(), farewell_frame.size());
    if (is_between_frames) co_await client.write({&frame, 1});
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
