#include "proxyxai/net/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/status.hpp>

namespace proxyxai {
namespace asio = boost::asio;

namespace {

/// Unread body bytes that are read and thrown away to keep a connection; beyond, closing is cheaper.
constexpr std::uint64_t drain_limit = 64 << 10;
/// How much, and how long, a closing connection still reads so that its last answer is not lost to an RST.
constexpr std::uint64_t linger_bytes = 16 << 20;
constexpr milliseconds linger_time{2'000};
/// How long a connection may still bring a request, or the rest of what it has begun, when this program stops: closed at once, it could be one that its client
/// has just sent another on.
constexpr milliseconds drain_grace{1'000};

}  // namespace

std::string_view reason_phrase(unsigned status) {
  return beast_http::obsolete_reason(beast_http::int_to_status(status));
}

void append_status_line(std::string& out, unsigned status) {
  out.append("HTTP/1.1 ");
  append_number(out, status);
  out.append(" ").append(reason_phrase(status)).append("\r\n");
}

void append_response(std::string& out, const ApiResponse& response, bool keep_alive, bool without_body,
                     std::string_view extra) {
  append_status_line(out, response.status);
  const bool has_no_body = response.status == 204 || response.status == 304;
  if (!has_no_body) {
    out.append("Content-Type: ").append(response.content_type).append("\r\n");
    out.append("Content-Length: ");
    append_number(out, response.body.size());
    out.append("\r\n");
  }
  for (const auto& [name, value] : response.headers) out.append(name).append(": ").append(value).append("\r\n");
  out.append(extra);
  if (!keep_alive) out.append("Connection: close\r\n");
  out.append("\r\n");
  if (!without_body && !has_no_body) out.append(response.body);
}

Connection::Connection(Stream stream, Watchdog& watchdog, const ConnectionLimits& limits, std::string peer_address)
    : stream_(std::move(stream)),
      limits_(limits),
      peer_address_(std::move(peer_address)),
      deadline_(watchdog,
                [this] {
                  timed_out_ = true;
                  stream_.cancel();
                }),
      watch_(watchdog, [this] {
        if (on_gone_) on_gone_();
      }) {}

void Connection::drain() {
  draining_ = true;
  if (is_idle_) deadline_.set(drain_grace);
  if (on_drain_) on_drain_();
}

void Connection::abort() {
  draining_ = true;
  if (on_gone_) on_gone_();
  stream_.reset();
}

Task<void> Connection::run(RequestHandler& handler) {
  deadline_.set(draining_ ? drain_grace : limits_.header_timeout);
  is_idle_ = true;
  const auto failed = co_await stream_.handshake();
  is_idle_ = false;
  if (failed) {
    stream_.close();
    co_return;
  }
  bool first = true;
  bool keep = true;
  while (keep && stream_.is_open()) {
    input_.compact();
    searched_ = 0;
    Head head = take_head(handler);
    if (head == Head::partial && input_.empty()) {
      is_idle_ = true;
      deadline_.set(draining_ ? drain_grace : first ? limits_.header_timeout : limits_.keepalive_timeout);
      // Readiness may be of bytes that have been taken since: only a byte makes it a request.
      bool ready = stream_.may_read();
      while (head == Head::partial && input_.empty()) {
        input_.release();
        if (!ready) ready = co_await stream_.readable();
        head = ready ? read_head_now(handler) : Head::closed;
        ready = false;
      }
      is_idle_ = false;
    }
    if (head == Head::partial) head = co_await read_head(handler);
    deadline_.clear();
    if (head == Head::closed) stream_.close();
    if (head != Head::complete) break;
    first = false;
    keep = co_await handler.serve(*this);
    unwatch();
    if (keep && body_pending()) keep = co_await finish_body();
    if (!carry_.empty()) {
      // It was read before what is in the buffer.
      carry_.append(input_.view());
      input_.consume(input_.size());
      const auto room = input_.room(carry_.size());
      std::memcpy(room.data, carry_.data(), carry_.size());
      input_.commit(carry_.size());
      carry_.clear();
    }
    parser_.reset();
  }
  if (stream_.is_open()) co_await close_gently();
}

/// The head that is in the input buffer.
Connection::Head Connection::take_head(RequestHandler& handler) {
  // RFC 9112 2.2: an empty line before the request line is skipped.
  while (searched_ == 0 && input_.view().starts_with("\r\n")) input_.consume(2);
  const auto bytes = input_.view();
  const auto end = bytes.find("\r\n\r\n", searched_ > 3 ? searched_ - 3 : 0);
  const auto refused = [&](const GateRefusal& refusal) {
    refuse(handler, refusal);
    return Head::refused;
  };
  if (end == bytes.npos) {
    if (const auto refusal = check_partial_head(bytes, limits_.gate)) return refused(*refusal);
    // Of an empty line before the request line, half may have come.
    searched_ = bytes == "\r" ? 0 : bytes.size();
    return Head::partial;
  }
  const auto head = bytes.substr(0, end + 4);
  if (const auto refusal = check_request_head(head, limits_.gate)) return refused(*refusal);
  parser_.emplace(fields_);
  boost::system::error_code error;
  const std::size_t used = parser_->put(asio::const_buffer(head.data(), head.size()), error);
  if (error || !parser_->is_header_done() || used != head.size()) {
    return refused({400, "bad_request", "The request head could not be parsed."});
  }
  bytes_in_ = head.size();
  bytes_out_ = 0;
  input_.consume(head.size());
  body_taken_ = body_broken_ = false;
  body_read_ = 0;
  body_left_ = parser_->chunked() ? 0 : parser_->content_length().value_or(0);
  if (body_left_ > limits_.max_body_bytes) {
    return refused({413, "body_too_large", "The request body is larger than this server takes."});
  }
  return Head::complete;
}

Connection::Head Connection::read_head_now(RequestHandler& handler) {
  const auto room = input_.room(1);
  const auto got = stream_.try_read(asio::mutable_buffer(room.data, room.size));
  return got ? on_head_read(*got, handler) : Head::partial;
}

Task<Connection::Head> Connection::read_head(RequestHandler& handler) {
  // One deadline for the whole head: a client that sends a byte now and then gains nothing.
  deadline_.set(draining_ ? drain_grace : limits_.header_timeout);
  is_idle_ = true;
  Head head = Head::partial;
  while (head == Head::partial) {
    const auto room = input_.room(1);
    const Transfer got = co_await stream_.read_some(asio::mutable_buffer(room.data, room.size));
    head = on_head_read(got, handler);
  }
  is_idle_ = false;
  co_return head;
}

Connection::Head Connection::on_head_read(const Transfer& got, RequestHandler& handler) {
  if (timed_out_ && !input_.empty()) {
    refuse(handler, {408, "header_timeout", "The request head took too long to arrive."});
    return Head::refused;
  }
  if (timed_out_ || got.error || got.bytes == 0) return Head::closed;
  input_.commit(got.bytes);
  return take_head(handler);
}

void Connection::refuse(RequestHandler& handler, const GateRefusal& refusal) {
  handler.on_refused(*this, refusal);
  ApiError error;
  error.status = refusal.status;
  error.code = refusal.reason;
  error.message = std::string(refusal.message);
  error.final = refusal.status != 408;
  std::string out;
  append_response(out, to_response(error), false, false);
  asio::const_buffer buffer(out.data(), out.size());
  stream_.try_write({&buffer, 1});
}

std::optional<std::uint64_t> Connection::body_length() const {
  if (parser_->chunked()) return std::nullopt;
  return parser_->content_length().value_or(0);
}

std::optional<std::string_view> Connection::buffered_body() {
  if (parser_->chunked() || body_taken_ || body_read_ > 0 || input_.size() < body_left_) return std::nullopt;
  const auto body = input_.view().substr(0, body_left_);
  bytes_in_ += body.size();
  input_.consume(body.size());
  body_taken_ = true;
  return body;
}

void Connection::send_continue() {
  if (is_http_1_0() || find(fields_, beast_http::field::expect).empty()) return;
  // When body bytes are here already, the client did not wait (RFC 9110 10.1.1).
  if (!input_.empty()) return;
  static constexpr std::string_view text = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::const_buffer buffer(text.data(), text.size());
  stream_.try_write({&buffer, 1});
}

Task<Transfer> Connection::fill(asio::mutable_buffer into) {
  if (!input_.empty()) {
    const std::size_t part = std::min(into.size(), input_.size());
    std::memcpy(into.data(), input_.data(), part);
    input_.consume(part);
    co_return Transfer{{}, part};
  }
  if (!is_idle_) deadline_.set(limits_.body_idle_timeout);
  const Transfer got = co_await stream_.read_some(into);
  if (!is_idle_) deadline_.clear();
  co_return got;
}

Task<Connection::BodyRead> Connection::read_body(asio::mutable_buffer into) {
  BodyRead result;
  if (!body_pending()) {
    result.done = true;
    co_return result;
  }
  const bool chunked = parser_->chunked();
  if (!chunked && body_left_ == 0) {
    body_taken_ = true;
    result.done = true;
    co_return result;
  }
  char* const start = static_cast<char*>(into.data());
  std::size_t held = 0;
  if (chunked) {
    held = carry_.size();
    std::memcpy(start, carry_.data(), held);
    carry_.clear();
  }
  // Bytes beyond a body of known length are the next request's and stay in the socket or the input buffer.
  const std::size_t room = chunked ? into.size() - held : static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), body_left_));
  const Transfer got = co_await fill(asio::mutable_buffer(start + held, room));
  if (timed_out_) {
    timed_out_ = false;
    body_broken_ = true;
    result.refusal = ApiError{408, "body_timeout", "The request body stopped arriving.", {}, false};
    co_return result;
  }
  if (got.error || got.bytes == 0) {
    result.gone = true;
    co_return result;
  }
  bytes_in_ += got.bytes;
  if (!chunked) {
    body_left_ -= got.bytes;
    body_read_ += got.bytes;
    result.bytes = got.bytes;
    result.done = body_taken_ = body_left_ == 0;
    co_return result;
  }
  const std::size_t available = held + got.bytes;
  const auto fed = parser_->feed_body(start, available);
  const std::string_view rest(start + fed.consumed, available - fed.consumed);
  if (fed.failed || (!parser_->is_done() && rest.size() > max_chunk_line)) {
    body_broken_ = true;
    result.refusal = ApiError{400, "bad_chunk", "The chunked request body is malformed.", {}, true};
    co_return result;
  }
  carry_.assign(rest);
  body_read_ += fed.body.size();
  if (body_read_ > limits_.max_body_bytes) {
    result.refusal = ApiError{413, "body_too_large", "The request body is larger than this server takes.", {}, true};
    co_return result;
  }
  if (!fed.body.empty() && fed.body.data() != start) std::memmove(start, fed.body.data(), fed.body.size());
  result.bytes = fed.body.size();
  result.done = parser_->is_done();
  co_return result;
}

bool Connection::can_drain() const {
  if (body_broken_) return false;
  if (!parser_->chunked() && body_left_ == 0) return true;
  // A client that was told to wait for 100 Continue and got a final answer may or may not send its body (RFC 9110
  // 10.1.1): nobody can tell its bytes from a next request.
  const bool uncertain = !find(fields_, beast_http::field::expect).empty();
  return !uncertain && (parser_->chunked() || body_left_ <= drain_limit);
}

bool Connection::may_keep_alive() const {
  // What follows a request for a WebSocket may be meant for that, and is never a request.
  return parser_->keep_alive() && !draining_ && (!body_pending() || can_drain()) && !asks_for_websocket(*parser_);
}

Task<bool> Connection::finish_body() {
  if (!can_drain()) co_return false;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
  std::array<char, 2 * max_chunk_line> scrap;
  const std::uint64_t stop_at = body_read_ + drain_limit;
  // One deadline for all of it: nobody waits for these bytes.
  deadline_.set(draining_ ? drain_grace : linger_time);
  is_idle_ = true;
  bool is_finished = true;
  while (is_finished && body_pending()) {
    const BodyRead read = co_await read_body(asio::buffer(scrap));
    is_finished = !read.refusal && !read.gone && body_read_ <= stop_at;
  }
  is_idle_ = false;
  deadline_.clear();
  co_return is_finished;
}

bool Connection::write_now(std::span<asio::const_buffer> buffers) {
  bytes_out_ += stream_.try_write(buffers).bytes;
  return consume(buffers, 0);
}

Task<bool> Connection::write(std::span<asio::const_buffer> buffers) {
  bytes_out_ += asio::buffer_size(buffers);
  deadline_.set(limits_.write_idle_timeout);
  const auto error = co_await stream_.write(buffers);
  deadline_.clear();
  co_return !error;
}

Task<bool> Connection::respond(const ApiResponse& response, std::string_view extra) {
  const bool keep = may_keep_alive();
  std::string out;
  append_response(out, response, keep, request().method() == "HEAD", extra);
  asio::const_buffer buffer(out.data(), out.size());
  bool written = write_now({&buffer, 1});
  if (!written) written = co_await write({&buffer, 1});
  co_return written && keep;
}

void Connection::watch(std::function<void()> on_gone) {
  on_gone_ = std::move(on_gone);
  watch_.arm(stream_.descriptor(), POLLRDHUP);
}

void Connection::unwatch() {
  watch_.disarm();
  on_gone_ = nullptr;
}

Task<void> Connection::close_gently() {
  stream_.shutdown_send();
  // Closing with unread bytes in the socket sends an RST, which can overtake the answer just written.
  timed_out_ = false;
  deadline_.set(linger_time);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
  std::array<char, 4096> scrap;
  std::uint64_t discarded = 0;
  while (!timed_out_ && stream_.is_open() && discarded < linger_bytes) {
    const Transfer got = co_await stream_.read_some(asio::buffer(scrap));
    if (got.error || got.bytes == 0) break;
    discarded += got.bytes;
  }
  deadline_.clear();
  stream_.close();
}

}  // namespace proxyxai
