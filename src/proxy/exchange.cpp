#include "proxyxai/proxy/exchange.hpp"

#include <algorithm>
#include <chrono>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/http/hygiene.hpp"
#include "proxyxai/keys/classify.hpp"

namespace proxyxai {
namespace {

bool usually_has_body(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

/// What the end of an attempt without an answer means. A kept connection that died before a byte of the answer had most
/// likely been closed by the upstream before our request reached it.
Fault fault_of(std::string_view failure, bool reused, std::uint64_t received) {
  if (failure == "cancelled") return Fault::client_gone;
  if (failure == "body_unreadable") return Fault::ours;
  const bool died = failure == "reset" || failure == "closed";
  return died && reused && received == 0 ? Fault::stale_connection : Fault::upstream;
}

}  // namespace

void Exchange::cancel() {
  cancelled_ = true;
  if (connection_) connection_->cancel();
  else if (connecting_ != nullptr) connecting_->cancel();
}

void Exchange::release() {
  if (connection_ && connection_->is_reusable()) origin_->keep(std::move(connection_));
  connection_.reset();
}

void Exchange::cancel_upstream() {
  if (connection_) connection_->cancel();
}

void Exchange::compose(const Outgoing& outgoing, const UpstreamKey& key) {
  const OriginAddress& address = origin_->address();
  head_.clear();
  head_.reserve(960);
  head_.append(outgoing.method).append(" ", 1).append(address.prefix);
  if (outgoing.add_prefix) head_.append("/v1", 3);
  head_.append(outgoing.path);
  if (!outgoing.query.empty()) head_.append("?", 1).append(outgoing.query);
  head_.append(" HTTP/1.1\r\nHost: ").append(address.authority).append("\r\nAuthorization: ").append(key.authorization);
  head_.append("\r\nAccept-Encoding: identity\r\n").append(outgoing.fields);
  if (outgoing.body->size() > 0 || usually_has_body(outgoing.method)) {
    head_.append("Content-Length: ");
    append_number(head_, outgoing.body->size());
    head_.append("\r\n", 2);
  }
  head_.append("\r\n", 2);
}

void Exchange::fail(std::string_view reason, bool reused) {
  attempt_.fault = cancelled_ ? Fault::client_gone : fault_of(reason, reused, attempt_.received);
  attempt_.reason = reason;
  attempt_.status = 0;
  connection_.reset();
}

Task<void> Exchange::run(const Outgoing& outgoing, const UpstreamKey& key, Limits limits) {
  attempt_ = Attempt{};
  attempt_.key = key.id;
  error_ = ErrorAnswer{};
  error_complete_ = false;
  connection_.reset();
  origin_ = origins_.at(key.provider);
  if (origin_ == nullptr) {
    attempt_.fault = Fault::ours;
    attempt_.reason = "bad_provider";
    co_return;
  }
  if (!limits.fresh_connection) connection_ = origin_->take_kept();
  if (!connection_) {
    Connecting connecting;
    connecting_ = &connecting;
    Origin::Connected connected = co_await origin_->connect(connecting);
    connecting_ = nullptr;
    connection_ = std::move(connected.connection);
    if (!connection_ || cancelled_) {
      fail(cancelled_ ? "cancelled" : connected.reason, false);
      co_return;
    }
  }
  compose(outgoing, key);
  std::string_view failure;
  if (!connection_->send_now(head_, *outgoing.body)) failure = co_await connection_->send_rest(head_, *outgoing.body, limits.idle);
  const bool is_head = outgoing.method == "HEAD";
  const Instant end = std::chrono::steady_clock::now() + limits.first_byte;
  if (failure.empty()) failure = co_await connection_->read_head(is_head, limits.first_byte);
  attempt_.sent = connection_->sent();
  attempt_.received = connection_->received();
  if (!failure.empty()) {
    const bool reused = connection_->is_reused();
    fail(failure, reused);
    co_return;
  }
  attempt_.status = connection_->answer().status();
  // Only a 101 that was asked for is one.
  if (attempt_.status == 101 && !outgoing.upgrade) {
    fail("bad_response", false);
    co_return;
  }
  if (attempt_.status >= 400) co_await read_error(limits.idle, end);
}

Task<void> Exchange::read_error(milliseconds idle, Instant end) {
  // The head's fields are views that the next read may move: what is needed of them later is taken now.
  const Fields& fields = connection_->fields();
  error_.status = attempt_.status;
  append_client_fields(error_.fields, fields, false);
  error_.request_id = find(fields, "x-request-id");
  const std::string retry_after_ms(find(fields, "retry-after-ms"));
  const std::string retry_after(find(fields, beast_http::field::retry_after));
  const std::string reset_requests(find(fields, "x-ratelimit-reset-requests"));
  const std::string reset_tokens(find(fields, "x-ratelimit-reset-tokens"));
  const std::string remaining_requests(find(fields, "x-ratelimit-remaining-requests"));
  const std::string remaining_tokens(find(fields, "x-ratelimit-remaining-tokens"));

  UpstreamConnection::Body piece = connection_->buffered_body();
  for (;;) {
    error_.body.append(piece.data);
    if (!piece.failure.empty()) {
      fail(piece.failure, false);
      co_return;
    }
    if (piece.done || error_.body.size() >= max_error_body) break;
    // Also one that comes byte by byte has an end.
    const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
    piece = co_await connection_->read_body(std::clamp(left, milliseconds(1), idle));
  }
  error_complete_ = piece.done;
  attempt_.received = connection_->received();
  const Answer answer{attempt_.status, error_.body,        retry_after_ms,     retry_after,
                      reset_requests,  reset_tokens, remaining_requests, remaining_tokens};
  classify(answer, attempt_);
}

}  // namespace proxyxai
