#include "proxyxai/upstream/connection.hpp"

#include <algorithm>
#include <array>

#include "proxyxai/upstream/origin.hpp"

namespace proxyxai {
namespace asio = boost::asio;

namespace {

constexpr std::size_t max_head = 64 << 10;
constexpr std::size_t small_read = 4 << 10;
constexpr std::size_t large_read = 64 << 10;
/// A body up to this size is sent without looking for an early answer.
constexpr std::uint64_t quick_body = 64 << 10;
constexpr int max_interim_answers = 16;

}  // namespace

UpstreamConnection::UpstreamConnection(Origin& origin, Stream stream, Watchdog& watchdog)
    : origin_(origin),
      stream_(std::move(stream)),
      deadline_(watchdog,
                [this] {
                  timed_out_ = true;
                  stream_.close();
                }),
      watch_(watchdog, [this] {
        // While sending: the answer has begun. While kept: the upstream closed, or speaks out of turn.
        if (!stream_.has_news()) {
          watch_.arm(stream_.descriptor(), POLLIN | POLLRDHUP);
          return;
        }
        answered_early_ = true;
        // What comes while it is kept is nobody's.
        if (is_kept_) stream_.close();
        else stream_.cancel();
      }) {}

UpstreamConnection::~UpstreamConnection() = default;

void UpstreamConnection::cancel() {
  cancelled_ = true;
  stream_.close();
}

std::string_view UpstreamConnection::failure_of(const Transfer& transfer, std::string_view when_closed) const {
  if (cancelled_) return "cancelled";
  return transfer.error && transfer.error != boost::asio::error::eof ? std::string_view("reset") : when_closed;
}

bool UpstreamConnection::send_now(std::string_view head, const RequestBody& body) {
  ++exchanges_;
  complete_ = false;
  answered_early_ = false;
  sent_ = received_ = 0;
  parser_.reset();
  const auto only = body.piece(0);
  if (only.size() < body.size() || body.size() > quick_body || body.is_spooled()) return false;
  std::array<asio::const_buffer, 2> buffers{asio::const_buffer(head.data(), head.size()),
                                            asio::const_buffer(only.data(), only.size())};
  sent_ = stream_.try_write(buffers).bytes;
  return sent_ == head.size() + only.size();
}

Task<std::string_view> UpstreamConnection::send_rest(std::string_view head, RequestBody& body, milliseconds idle_timeout) {
  const auto only = body.piece(0);
  if (only.size() < body.size() || body.size() > quick_body || body.is_spooled()) {
    co_return co_await send_body(head, body, idle_timeout);
  }
  std::array<asio::const_buffer, 2> buffers{asio::const_buffer(head.data(), head.size()),
                                            asio::const_buffer(only.data(), only.size())};
  std::span<asio::const_buffer> rest(buffers);
  consume(rest, sent_);
  deadline_.set(idle_timeout);
  const boost::system::error_code error = co_await stream_.write(rest);
  deadline_.clear();
  sent_ = head.size() + only.size();
  if (!error) co_return std::string_view();
  if (timed_out_) co_return std::string_view("send_timeout");
  co_return failure_of({error, 0}, "reset");
}

Task<std::string_view> UpstreamConnection::send_body(std::string_view head, RequestBody& body, milliseconds idle_timeout) {
  std::uint64_t offset = 0;
  watch_.arm(stream_.descriptor(), POLLIN);
  std::string_view failure;
  while (failure.empty() && !answered_early_ && (sent_ == 0 || offset < body.size())) {
    const std::string_view piece = co_await body.load(offset);
    if (piece.empty() && offset < body.size()) {
      failure = "body_unreadable";
      break;
    }
    std::array<asio::const_buffer, 2> buffers{asio::const_buffer(head.data(), sent_ == 0 ? head.size() : 0),
                                              asio::const_buffer(piece.data(), piece.size())};
    deadline_.set(idle_timeout);
    const auto error = co_await stream_.write(buffers);
    deadline_.clear();
    if (sent_ == 0) sent_ = head.size();
    sent_ += piece.size();
    offset += piece.size();
    if (!error || answered_early_) continue;
    if (timed_out_) failure = "send_timeout";
    else if (cancelled_) failure = "cancelled";
    // An upstream that refuses an upload may close its side while we write; its answer is still in the socket.
    else answered_early_ = true;
  }
  watch_.disarm();
  co_return failure;
}

std::optional<Transfer> UpstreamConnection::read_now() {
  const auto room = input_.room(room_);
  const auto got = stream_.try_read(asio::mutable_buffer(room.data, room.size));
  if (got && !got->error) {
    input_.commit(got->bytes);
    received_ += got->bytes;
    if (got->bytes == room.size) room_ = std::min(room_ * 2, large_read);
  }
  return got;
}

Task<std::string_view> UpstreamConnection::read_head(bool to_head_request, milliseconds first_byte_timeout) {
  int interim = 0;
  room_ = small_read;
  std::size_t searched = 0;
  deadline_.set(first_byte_timeout);
  for (;;) {
    const auto bytes = input_.view();
    const auto end = bytes.find("\r\n\r\n", searched > 3 ? searched - 3 : 0);
    if (end != bytes.npos) {
      const std::size_t size = end + 4;
      const auto head = bytes.substr(0, size);
      // Beast unfolds obsolete line folding into a buffer of its own, which our views would outlive.
      const bool folded = head.find("\n ") != head.npos || head.find("\n\t") != head.npos;
      parser_.emplace(fields_);
      if (to_head_request) parser_->skip(true);
      boost::system::error_code error;
      const std::size_t used = folded ? 0 : parser_->put(asio::const_buffer(head.data(), size), error);
      if (folded || error || !parser_->is_header_done() || used != size) {
        deadline_.clear();
        co_return std::string_view("bad_response");
      }
      input_.consume(size);
      const unsigned status = parser_->status();
      if (status >= 200 || status == 101) {
        deadline_.clear();
        complete_ = parser_->is_done();
        co_return std::string_view();
      }
      if (++interim > max_interim_answers) {
        deadline_.clear();
        co_return std::string_view("bad_response");
      }
      searched = 0;
      continue;
    }
    if (bytes.size() > max_head) {
      deadline_.clear();
      co_return std::string_view("bad_response");
    }
    searched = bytes.size();
    auto got = read_now();
    while (!got) {
      const bool ready = co_await stream_.readable();
      got = ready ? read_now() : Transfer{asio::error::operation_aborted, 0};
    }
    if (got->error || got->bytes == 0) {
      deadline_.clear();
      if (timed_out_) co_return std::string_view("first_byte_timeout");
      co_return failure_of(*got, received_ == 0 ? "closed" : "truncated");
    }
  }
}

UpstreamConnection::Body UpstreamConnection::buffered_body() {
  Body body;
  if (complete_) {
    body.done = true;
    return body;
  }
  if (!input_.empty()) {
    const auto fed = parser_->feed_body(input_.data(), input_.size());
    input_.consume(fed.consumed);
    body.data = fed.body;
    const bool endless_line = parser_->chunked() && !parser_->is_done() && input_.size() > max_chunk_line;
    if (fed.failed || endless_line) body.failure = "bad_response";
  }
  body.done = complete_ = parser_->is_done();
  return body;
}

Task<UpstreamConnection::Body> UpstreamConnection::read_body(milliseconds idle_timeout) {
  Body body;
  if (complete_) {
    body.done = true;
    co_return body;
  }
  deadline_.set(idle_timeout);
  auto got = read_now();
  while (!got) {
    const bool ready = co_await stream_.readable();
    got = ready ? read_now() : Transfer{asio::error::operation_aborted, 0};
  }
  deadline_.clear();
  if (got->error || got->bytes == 0) {
    if (timed_out_) {
      body.failure = "idle_timeout";
    } else if (!got->error && parser_->need_eof() && !cancelled_) {
      // A body without framing ends with the connection; over TLS only behind close_notify, which is this case.
      body.done = complete_ = true;
    } else {
      body.failure = failure_of(*got, "truncated");
    }
    co_return body;
  }
  co_return buffered_body();
}

bool UpstreamConnection::is_reusable() const {
  return complete_ && !answered_early_ && !cancelled_ && !timed_out_ && stream_.is_open() && input_.empty() && parser_ &&
         parser_->keep_alive() && !parser_->need_eof() && parser_->status() != 101;
}

}  // namespace proxyxai
