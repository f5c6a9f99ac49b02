#include "proxyxai/proxy/relay.hpp"

#include <array>
#include <charconv>

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
  out.append("x-proxyxai-attempts: ");
  append_number(out, request.attempts);
  out.append("\r\n", 2);
  cors_.append(out, request.client.fields());
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
  const auto length = answer.content_length();
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

/// One gather write: the head before the first piece, the piece, its chunk framing.
class Relay::Gather {
 public:
  Gather(std::string_view head, const UpstreamConnection::Body& piece, bool chunked) {
    static constexpr std::string_view line_end = "\r\n", last_chunk = "0\r\n\r\n", both = "\r\n0\r\n\r\n";
    add(head);
    const bool last = chunked && piece.done && piece.failure.empty();
    if (piece.data.empty()) {
      if (last) add(last_chunk);
      return;
    }
    if (chunked) {
      char* end = std::to_chars(size_line_.data(), size_line_.data() + 16, piece.data.size(), 16).ptr;
      *end++ = '\r';
      *end++ = '\n';
      add({size_line_.data(), static_cast<std::size_t>(end - size_line_.data())});
    }
    add(piece.data);
    if (chunked) add(last ? both : line_end);
  }
  [[nodiscard]] std::span<asio::const_buffer> buffers() { return {buffers_.data(), count_}; }

 private:
  void add(std::string_view bytes) {
    if (!bytes.empty()) buffers_[count_++] = asio::const_buffer(bytes.data(), bytes.size());
  }
  std::array<asio::const_buffer, 4> buffers_;
  std::array<char, 24> size_line_;
  std::size_t count_ = 0;
};

Task<void> Relay::pass(RequestContext& request) const {
  Exchange& exchange = request.exchange;
  UpstreamConnection& upstream = *exchange.connection();
  std::string head;
  head.reserve(960);
  const Framing framing = compose_head(head, request);
  // The attempt has ended just now: its time saves asking for another.
  request.first_byte = request.attempt_ended;
  begin(request, upstream.answer().status());

  UpstreamConnection::Body piece;
  if (request.status >= 400) {
    piece.data = exchange.error_answer().body;
    piece.done = exchange.is_error_complete();
  } else {
    piece = upstream.buffered_body();
  }
  std::string_view unsent_head = head;
  for (;;) {
    Gather gather(unsent_head, piece, framing == Framing::chunked);
    bool written = request.client.write_now(gather.buffers());
    if (!written) written = co_await request.client.write(gather.buffers());
    unsent_head = {};
    if (!written || exchange.is_cancelled()) {
      request.reason = "client_gone";
      request.keep_alive = false;
      exchange.cancel();
      co_return;
    }
    if (!piece.failure.empty()) break;
    if (piece.done) {
      exchange.release();
      co_return;
    }
    piece = co_await upstream.read_body(idle_timeout_);
  }
  // No final chunk, fewer bytes than announced, or an RST: the client cannot take what it has for the whole.
  request.keep_alive = false;
  request.reason = exchange.is_cancelled() ? std::string_view("client_gone") : std::string_view("upstream_truncated");
  if (framing == Framing::close) request.client.stream().reset();
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
  lines.append("x-request-id: ").append(request.request_id).append("\r\n");
  if (request.attempts > 0) {
    lines.append("x-proxyxai-attempts: ");
    append_number(lines, request.attempts);
    lines.append("\r\n");
  }
  cors_.append(lines, request.client.fields());
  begin(request, error.status);
  if (request.reason.empty()) request.reason = error.code;
  const ApiResponse response = to_response(error);
  const bool keep = co_await request.client.respond(response, lines);
  request.keep_alive = keep && !request.upgrade;
}

}  // namespace proxyxai
