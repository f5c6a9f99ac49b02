#include "proxyxai/proxy/relay.hpp"

#include <array>
#include <charconv>

#include <boost/container/small_vector.hpp>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/http/hygiene.hpp"

namespace proxyxai {
namespace asio = boost::asio;

namespace {

bool has_no_body(std::string_view method, unsigned status) {
  return method == "HEAD" || status == 204 || status == 304 || status < 200;
}

}  // namespace

void Relay::begin(RequestContext& request, unsigned status) const {
  request.status = status;
  if (request.first_byte == Instant{}) request.first_byte = clock_.now();
}

void Relay::append_own_fields(std::string& out, RequestContext& request, std::string_view upstream_id) const {
  if (upstream_id.empty()) out.append("x-request-id: ").append(request.request_id).append("\r\n", 2);
  else request.request_id = upstream_id;
  if (request.attempts > 0) {
    out.append("x-proxyxai-attempts: ");
    append_number(out, request.attempts);
    out.append("\r\n", 2);
  }
  append_limits(out, request);
  cors_.append(out, request.client.fields());
}

/// The account's own limits, in place of the pool key's.
void Relay::append_limits(std::string& out, const RequestContext& request) const {
  if (!request.account || !request.account->windows.has_any()) return;
  const Instant now = clock_.now();
  const auto append = [&out](std::string_view what, const std::optional<RateShown>& shown) {
    if (!shown) return;
    const auto line = [&](std::string_view which, std::int64_t value, std::string_view unit) {
      out.append("x-ratelimit-").append(which).append("-").append(what).append(": ").append(std::to_string(value)).append(unit).append("\r\n");
    };
    line("limit", shown->limit, "");
    line("remaining", shown->left, "");
    line("reset", shown->reset.count(), "ms");
  };
  append("requests", shown_requests(*request.account, now));
  append("tokens", shown_tokens(*request.account, now));
}

Relay::Framing Relay::compose_head(std::string& out, RequestContext& request) const {
  const ResponseParser& answer = request.exchange.connection()->answer();
  const unsigned status = answer.status();
  append_status_line(out, status);
  if (status >= 400) {
    // Its fields were taken when its body was read.
    out.append(request.exchange.error_answer().fields);
    append_own_fields(out, request, request.exchange.error_answer().request_id);
  } else {
    append_client_fields(out, answer.fields(), status == 101);
    append_own_fields(out, request, find(answer.fields(), "x-request-id"));
  }
  Framing framing = Framing::chunked;
  auto length = answer.content_length();
  // What is taken out of a stream makes it shorter than was announced.
  if (request.asked_usage && request.meter) length.reset();
  if (length && status >= 200 && status != 204) {
    out.append("Content-Length: ");
    append_number(out, *length);
    out.append("\r\n", 2);
    framing = Framing::length;
  }
  if (has_no_body(request.client.request().method(), status)) {
    framing = Framing::none;
  } else if (!length) {
    framing = request.client.is_http_1_0() ? Framing::close : Framing::chunked;
    if (framing == Framing::chunked) out.append("Transfer-Encoding: chunked\r\n");
  }
  request.keep_alive = request.client.may_keep_alive() && framing != Framing::close && !request.upgrade;
  if (!request.keep_alive && status != 101) out.append("Connection: close\r\n");
  else if (request.client.is_http_1_0()) out.append("Connection: keep-alive\r\n");
  out.append("\r\n", 2);
  return framing;
}

/// One gather write: the head before the first piece, the views of the piece, its chunk framing.
class Relay::Gather {
 public:
  using Views = std::span<const std::string_view>;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
  Gather(std::string_view head, Views views, bool chunked, bool last) {
    static constexpr std::string_view line_end = "\r\n", last_chunk = "0\r\n\r\n", both = "\r\n0\r\n\r\n";
    add(head);
    std::size_t size = 0;
    for (const std::string_view each : views) size += each.size();
    if (size == 0) {
      if (chunked && last) add(last_chunk);
      return;
    }
    if (chunked) {
      char* end = std::to_chars(size_line_.data(), size_line_.data() + 16, size, 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      add({size_line_.data(), static_cast<std::size_t>(end - size_line_.data())});
    }
    for (const std::string_view each : views) add(each);
    if (chunked) add(last ? both : line_end);
  }
  ~Gather() = default;
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;
  [[nodiscard]] std::span<asio::const_buffer> buffers() { return {buffers_.data(), buffers_.size()}; }

 private:
  void add(std::string_view bytes) {
    if (!bytes.empty()) buffers_.push_back(asio::const_buffer(bytes.data(), bytes.size()));
  }
  boost::container::small_vector<asio::const_buffer, 8> buffers_;
  std::array<char, 24> size_line_;
};

namespace {

bool is_event_stream(const ResponseParser& answer) {
  return has_media_type(find(answer.fields(), beast_http::field::content_type), "text/event-stream");
}

/// The last event of a stream whose account has no more credit, as the endpoint's clients expect errors.
std::string credit_event(std::string_view endpoint) {
  static constexpr std::string_view message = "Insufficient balance";
  const ApiError error{429, "insufficient_quota", std::string(message), {}, true};
  if (endpoint != "responses") return "data: " + error_body(error) + "\n\n";
  return "event: error\ndata: {\"type\":\"error\",\"code\":\"insufficient_quota\",\"message\":\"" + std::string(message) + "\",\"param\":null}\n\n";
}

ApiError cannot_store() {
  return {503, "storage_unavailable", "The server cannot write down what this request costs now. Try again later.", {}, false};
}

}  // namespace

/// The client's end of one answer.
class Relay::Outlet {
 public:
  Outlet(RequestContext& request, Framing framing, std::string_view head) : request_(request), framing_(framing), head_(head) {}

  [[nodiscard]] bool has_begun() const { return head_.empty(); }

  /// False: the client is gone.
  Task<bool> write(Gather::Views views, bool last) {
    Gather gather(std::exchange(head_, {}), views, framing_ == Framing::chunked, last);
    bool written = request_.client.write_now(gather.buffers());
    if (!written) written = co_await request_.client.write(gather.buffers());
    co_return written && !request_.exchange.is_cancelled() && request_.left_at == Instant{};
  }

 private:
  RequestContext& request_;
  const Framing framing_;
  std::string_view head_;
};

Task<void> Relay::pass(RequestContext& request) const {
  Exchange& exchange = request.exchange;
  UpstreamConnection& upstream = *exchange.connection();
  const unsigned status = upstream.answer().status();
  if (ModelList::concerns(request)) {
    co_await pass_models(request);
    co_return;
  }
  const bool streams = is_event_stream(upstream.answer());
  if (request.price != nullptr && status < 400) {
    const std::string_view type = find(upstream.answer().fields(), beast_http::field::content_type);
    request.meter.emplace(AnswerMeter::Answer{request.endpoint, type, request.asked_usage && streams});
  }
  if (request.only_key || request.makes_objects) {
    record_.begin(request, status, find(upstream.answer().fields(), beast_http::field::content_type));
  }
  if (request.left_at != Instant{}) {
    co_await leave(request, upstream.buffered_body());
    co_return;
  }
  std::string head;
  head.reserve(960);
  const Framing framing = compose_head(head, request);
  // The attempt has ended just now: its time saves asking for another.
  request.first_byte = request.attempt_ended;
  begin(request, status);

  UpstreamConnection::Body piece;
  if (status >= 400) {
    piece.data = exchange.error_answer().body;
    piece.done = exchange.is_error_complete();
  } else {
    piece = upstream.buffered_body();
  }
  Outlet outlet(request, framing, head);
  for (;;) {
    std::array<std::string_view, 1> whole{piece.data};
    AnswerMeter::Passed passed{whole, 1};
    if (request.meter) {
      passed = request.meter->pass(piece.data);
      if (streams && !billing_.covers_delivered(request)) {
        co_await cut_off(request, outlet);
        co_return;
      }
      request.delivered = request.meter->delivered_tokens();
      if (request.is_pending) record_.note_delivered(request);
    }
    const bool last = piece.done && piece.failure.empty();
    if (request.made && record_.feed(request, piece.data, last)) co_await record_.write(request);
    if (last && request.asked_usage && request.meter && !request.meter->has_ended()) {
      // A stream without its last event: what was held back of it goes too.
      bool written = true;
      if (!passed.views.empty()) written = co_await outlet.write(passed.views, false);
      if (!written) {
        co_await leave(request, upstream.buffered_body());
        co_return;
      }
      passed = request.meter->finish();
    }
    if (request.meter && !request.billed && (last || passed.last_from < passed.views.size())) {
      // Up to here the client may have it; the rest makes the answer whole, and waits for the commit.
      const auto before = passed.views.first(last && passed.last_from == passed.views.size() ? 0 : passed.last_from);
      bool written = true;
      if (!before.empty()) written = co_await outlet.write(before, false);
      bool stored = true;
      if (request.is_pending) stored = co_await record_.settle(request);
      else stored = co_await billing_.bill(request);
      if (!stored) {
        co_await fail(request, outlet, framing);
        co_return;
      }
      if (!written) {
        co_await leave(request, upstream.buffered_body());
        co_return;
      }
      passed.views = passed.views.subspan(before.size());
    }
    const bool written = co_await outlet.write(passed.views, last);
    if (!written) {
      co_await leave(request, upstream.buffered_body());
      co_return;
    }
    if (!piece.failure.empty()) break;
    if (piece.done) {
      exchange.release();
      co_return;
    }
    piece = co_await upstream.read_body(idle_timeout_);
    if (request.left_at != Instant{}) {
      co_await leave(request, piece);
      co_return;
    }
  }
  break_off(request, framing);
  request.reason = exchange.is_cancelled() ? std::string_view("client_gone") : std::string_view("upstream_truncated");
}

/// No final chunk, fewer bytes than announced, or an RST: the client cannot take what it has for the whole.
void Relay::break_off(RequestContext& request, Framing framing) {
  request.keep_alive = false;
  if (framing == Framing::close) request.client.stream().reset();
}

/// The client has gone: by the account's policy the answer is read to its end, or upstream is let go at once.
Task<void> Relay::leave(RequestContext& request, UpstreamConnection::Body unread) const {
  request.reason = "client_gone";
  request.keep_alive = false;
  if (request.meter && request.reads_on() && !request.exchange.is_cancelled()) co_await read_on(request, unread);
  else request.exchange.cancel();
}

Task<void> Relay::read_on(RequestContext& request, UpstreamConnection::Body piece) const {
  UpstreamConnection& upstream = *request.exchange.connection();
  const Instant end = (request.left_at == Instant{} ? clock_.now() : request.left_at) + read_on_time;
  for (std::uint64_t bytes = 0;;) {
    bytes += piece.data.size();
    request.meter->pass(piece.data);
    request.delivered = request.meter->delivered_tokens();
    const bool last = piece.done && piece.failure.empty();
    if (request.made && record_.feed(request, piece.data, last)) co_await record_.write(request);
    if (last) {
      request.exchange.release();
      co_return;
    }
    // What goes on upstream is asked after from now on.
    if (request.is_pending) break;
    const auto left = std::chrono::duration_cast<milliseconds>(end - clock_.now());
    if (!piece.failure.empty() || bytes >= read_on_bytes || request.meter->has_ended() || left <= milliseconds(0)) break;
    piece = co_await upstream.read_body(left);
  }
  request.exchange.cancel();
}

/// The credit has run out in mid-stream: a clean last event, and upstream is let go.
Task<void> Relay::cut_off(RequestContext& request, Outlet& outlet) const {
  request.exchange.cancel_upstream();
  const bool stored = co_await billing_.bill(request);
  request.reason = "insufficient_quota";
  request.keep_alive = false;
  if (!stored) {
    // Owed all the same, as in `fail`.
    request.billed = false;
    co_return;
  }
  const std::string event = credit_event(request.endpoint);
  const std::array<std::string_view, 1> views{event};
  co_await outlet.write(views, true);
}

/// The cost could not be stored: nobody gets the end of an answer that nobody pays for.
Task<void> Relay::fail(RequestContext& request, const Outlet& outlet, Framing framing) const {
  request.exchange.cancel_upstream();
  if (outlet.has_begun()) {
    // What the client has of it is owed all the same: `settle` writes it down as soon as that is possible again.
    request.billed = false;
    break_off(request, framing);
    request.reason = "storage_unavailable";
    co_return;
  }
  co_await refuse(request, cannot_store());
}

/// The list of models, as the account may see it.
Task<void> Relay::pass_models(RequestContext& request) const {
  UpstreamConnection& upstream = *request.exchange.connection();
  UpstreamConnection::Body piece = upstream.buffered_body();
  std::string body(piece.data);
  while (!piece.done && piece.failure.empty() && body.size() <= ModelList::most_bytes) {
    piece = co_await upstream.read_body(idle_timeout_);
    body.append(piece.data);
  }
  const bool whole = piece.done && piece.failure.empty();
  std::optional<std::string> list;
  if (whole) list = co_await models_.made_of(request, std::move(body));
  ErrorAnswer answer;
  append_client_fields(answer.fields, upstream.answer().fields(), false);
  answer.status = upstream.answer().status();
  answer.request_id = find(upstream.answer().fields(), "x-request-id");
  request.exchange.release();
  if (!list) {
    ApiError unreadable{502, "bad_upstream_answer", "The upstream's list of models could not be read.", {}, false};
    co_await refuse(request, std::move(unreadable));
    co_return;
  }
  answer.body = std::move(*list);
  co_await pass_saved(request, answer);
}

Task<void> Relay::pass_saved(RequestContext& request, const ErrorAnswer& answer) const {
  std::string out;
  append_status_line(out, answer.status);
  out.append(answer.fields);
  append_own_fields(out, request, answer.request_id);
  out.append("Content-Length: ");
  append_number(out, answer.body.size());
  request.keep_alive = request.client.may_keep_alive() && !request.upgrade;
  out.append(request.keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
  if (request.client.request().method() != "HEAD") out.append(answer.body);
  begin(request, answer.status);
  asio::const_buffer buffer(out.data(), out.size());
  const bool written = co_await request.client.write({&buffer, 1});
  if (!written) request.keep_alive = false;
}

Task<void> Relay::refuse(RequestContext& request, ApiError error, std::string_view extra) const {
  std::string lines(extra);
  append_own_fields(lines, request, {});
  begin(request, error.status);
  if (request.reason.empty()) request.reason = error.code;
  const ApiResponse response = to_response(error);
  const bool keep = co_await request.client.respond(response, lines);
  request.keep_alive = keep && !request.upgrade;
}

}  // namespace proxyxai
