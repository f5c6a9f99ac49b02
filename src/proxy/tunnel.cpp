#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>

#include "proxyxai/base/timer.hpp"
#include "proxyxai/proxy/authenticate.hpp"
#include "proxyxai/proxy/relay.hpp"
#include "proxyxai/proxy/websocket_reader.hpp"
#include "proxyxai/storage/store.hpp"
#include "socket_end.hpp"

namespace proxyxai {
namespace asio = boost::asio;

namespace {

constexpr std::size_t piece_size = 16 << 10;
/// How long one direction may go on after the other has ended.
constexpr milliseconds farewell{5'000};
/// How long upstream may say nothing once this program is told to stop: while a turn goes on, and between two.
constexpr milliseconds silent_in_turn{5'000}, silent_between_turns{1'000};

/// Reads what a client says into a WebSocket for what it names of upstream's.
class ClientMessages {
 public:
  ClientMessages() : reader_(WebSocketReader::Sender::client, [this](std::string_view piece, bool is_last) { take(piece, is_last); }) {}

  /// What the messages name that end in `bytes`.
  std::vector<ObjectName> feed(std::string_view bytes) {
    has_ended_ = false;
    reader_.feed(bytes);
    return std::exchange(named_, {});
  }
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  /// Upstream might read what this could not; or there was more than is looked up.
  [[nodiscard]] bool are_broken() const { return reader_.is_broken() || has_too_many_; }

 private:
  void take(std::string_view piece, bool is_last) {
    if (!scan_) scan_.emplace(facts_);
    scan_->feed(piece);
    if (!is_last) return;
    named_.insert(named_.end(), facts_.objects.begin(), facts_.objects.end());
    has_too_many_ = has_too_many_ || facts_.has_more_objects;
    has_ended_ = true;
    scan_.reset();
    facts_ = {};
  }

  WebSocketReader reader_;
  RequestFacts facts_;
  std::optional<JsonScan> scan_;
  std::vector<ObjectName> named_;
  bool has_ended_ = false, has_too_many_ = false;
};

}  // namespace

struct Relay::Tunnel {
  RequestContext& request;
  const Digest key;           ///< Of the virtual key that opened it.
  bool is_turn_open = false;  ///< The client has said something, and what it used has not been told.
};

milliseconds Relay::longest_silence(const Tunnel& tunnel) const {
  if (!tunnel.request.client.is_draining()) return idle_timeout_;
  return std::min(idle_timeout_, tunnel.is_turn_open ? silent_in_turn : silent_between_turns);
}

/// Why the account may not name these; empty: it may. What lives under another key is upstream's to refuse.
Task<std::string_view> Relay::why_not_named(const RequestContext& request, std::vector<ObjectName> named) const {
  if (request.account->row.is_root) co_return std::string_view();
  std::vector<std::string> ids;
  ids.reserve(named.size());
  for (const ObjectName& each : named) ids.push_back(each.id);
  std::vector<ObjectDirectory::Found> found;
  try {
    found = co_await record_.objects().find(request.account->row.dna, std::move(ids));
  } catch (const StorageError&) {
    co_return socket_end::not_stored;
  }
  for (std::size_t i = 0; i < named.size(); ++i) {
    if (!found[i].place && (!named[i].is_item || found[i].is_anothers)) co_return socket_end::not_found;
  }
  co_return std::string_view();
}

/// Why the client may say no more; empty: it may. `is_turn`: with what it says another turn may begin.
std::string_view Relay::why_not_more(const Tunnel& tunnel, bool is_turn) const {
  RequestContext& request = tunnel.request;
  // A key that was rotated, or an account that was stopped, ends what it had opened too.
  if (!request.account->is_enabled() || request.account->row.key_digest != tunnel.key) return socket_end::key_stopped;
  if (is_turn && !request.account->row.is_root && !request.hold.has_room(clock_.now())) return socket_end::out_of_rate;
  return billing_.covers_socket(request) ? std::string_view() : socket_end::out_of_credit;
}

Task<void> Relay::pump_up(Tunnel& tunnel) const {
  RequestContext& request = tunnel.request;
  Connection& client = request.client;
  UpstreamConnection& upstream = *request.exchange.connection();
  ClientMessages messages;
  // What the client sent behind its request head belongs to the tunnel, not to a parser.
  std::string ahead(client.input().view());
  client.input().consume(ahead.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
  std::array<char, piece_size> piece;
  asio::const_buffer out(ahead.data(), ahead.size());
  for (;;) {
    if (out.size() > 0) {
      request.sent_bytes += static_cast<std::int64_t>(out.size());
      // What comes ends a message only once all that it names has been looked up.
      std::vector<ObjectName> named = messages.feed({static_cast<const char*>(out.data()), out.size()});
      std::string_view reason;
      if (!named.empty()) reason = co_await why_not_named(request, std::move(named));
      if (reason.empty() && messages.are_broken()) reason = socket_end::bad_frame;
      if (reason.empty()) reason = why_not_more(tunnel, messages.has_ended());
      tunnel.is_turn_open = tunnel.is_turn_open || messages.has_ended();
      if (!reason.empty()) {
        request.reason = reason;
        upstream.cancel();
        break;
      }
      const auto failed = co_await upstream.stream().write({&out, 1});
      if (failed) break;
    }
    client.deadline().set(idle_timeout_);
    // In a stop a client puts nothing off.
    if (!client.is_draining()) upstream.deadline().set(idle_timeout_);
    const Transfer got = co_await client.stream().read_some(asio::buffer(piece));
    if (got.error || got.bytes == 0) break;
    out = asio::const_buffer(piece.data(), got.bytes);
  }
  upstream.stream().shutdown_send();
  upstream.deadline().set(farewell);
}

Task<void> Relay::pump_down(Tunnel& tunnel) const {
  RequestContext& request = tunnel.request;
  Connection& client = request.client;
  UpstreamConnection& upstream = *request.exchange.connection();
  std::string ahead(upstream.input().view());
  upstream.input().consume(ahead.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
  std::array<char, piece_size> piece;
  asio::const_buffer out(ahead.data(), ahead.size());
  std::vector<EventUsage> events;
  EventReader event;
  ObjectScan objects(ObjectScan::Format::documents);
  bool has_spoken = true;  // a message, and not only a pong that the client asked for
  WebSocketReader reader(WebSocketReader::Sender::server, [&](std::string_view part, bool is_last) {
    has_spoken = true;
    event.feed(part);
    objects.feed(part);
    if (!is_last) return;
    objects.restart();
    EventUsage told = event.end();
    if (told.usage.given || told.delivered > 0) events.push_back(std::move(told));
  });
  bool has_credit = true, is_stored = true;
  bool is_between_frames = true;  // what the client has ends with a frame
  for (;;) {
    if (out.size() > 0) {
      reader.feed({static_cast<const char*>(out.data()), out.size()});
      for (const EventUsage& each : events) {
        if (each.usage.given) tunnel.is_turn_open = false;
        const bool stored = co_await billing_.bill_event(request, each);
        is_stored = is_stored && stored;
      }
      // They are stored before what the turn cost, which is waited for.
      if (objects.has_found()) record_.note(request, objects);
      has_credit = events.empty() || billing_.covers_socket(request);
      events.clear();
      if (!is_stored) {
        request.reason = socket_end::not_stored;
        break;
      }
      const bool written = co_await client.write({&out, 1});
      if (!written) break;
      is_between_frames = reader.is_between_frames();
    }
    if (!has_credit) request.reason = socket_end::out_of_credit;
    const bool is_stopping = client.is_draining();
    const bool is_over = is_stopping && is_between_frames && has_spoken && !tunnel.is_turn_open;
    if (is_over && request.reason.empty()) request.reason = socket_end::going_away;
    if (!request.reason.empty()) break;
    client.deadline().set(idle_timeout_);
    if (!is_stopping || (tunnel.is_turn_open && has_spoken)) upstream.deadline().set(longest_silence(tunnel));
    has_spoken = false;
    const Transfer got = co_await upstream.stream().read_some(asio::buffer(piece));
    if (got.error || got.bytes == 0) {
      if (client.is_draining() && request.reason.empty()) request.reason = socket_end::going_away;
      break;
    }
    out = asio::const_buffer(piece.data(), got.bytes);
  }
  if (!request.reason.empty()) {
    const std::string last_frames = farewell_frames(request.reason);
    upstream.cancel();
    asio::const_buffer frame(last_frames.data(), last_frames.size());
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
  Tunnel both{request, credential_digest(request.client.fields()).value_or(Digest{})};
  Timer up_ended(executor, Timer::time_point::max());
  bool is_up_ended = false;
  asio::co_spawn(executor, pump_up(both), [&](std::exception_ptr) {
    is_up_ended = true;
    up_ended.cancel();
  });
  request.client.on_drain([this, &both, upstream = request.exchange.connection()] { upstream->deadline().set(longest_silence(both)); });
  std::exception_ptr failure;
  try {
    co_await pump_down(both);
  } catch (...) {
    // The other direction uses what stands here: it comes to its end first.
    failure = std::current_exception();
    request.exchange.connection()->cancel();
    request.client.deadline().set(farewell);
  }
  if (!is_up_ended) co_await up_ended.async_wait(use_result_task);
  request.client.on_drain(nullptr);
  request.exchange.connection()->cancel();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace proxyxai
