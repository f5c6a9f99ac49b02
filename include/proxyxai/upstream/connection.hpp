#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "proxyxai/http/gate.hpp"
#include "proxyxai/http/parser.hpp"
#include "proxyxai/http/request_body.hpp"
#include "proxyxai/net/input_buffer.hpp"
#include "proxyxai/net/stream.hpp"
#include "proxyxai/net/watchdog.hpp"

namespace proxyxai {

class Origin;

/// One connection to an upstream, and the one exchange that is on it. Loop thread only. Not HTTP-pipelined: `send_now`, then
/// `read_head`, then `read_body` until it is done, then Origin::keep or destruction.
///
/// Failures are stable tokens; empty means success: `reset`, `closed` (before a byte of the answer), `send_timeout`,
/// `first_byte_timeout`, `idle_timeout`, `truncated` (after it), `bad_response`, `body_unreadable` (ours), `cancelled`.
class UpstreamConnection {
 public:
  UpstreamConnection(Origin& origin, Stream stream, Watchdog& watchdog);
  ~UpstreamConnection();
  UpstreamConnection(const UpstreamConnection&) = delete;
  UpstreamConnection& operator=(const UpstreamConnection&) = delete;

  /// Begins an exchange. True: the request was small and is sent, as nearly all are; else `send_rest` is to follow.
  bool send_now(std::string_view head, const RequestBody& body);
  /// Sends what is left of a request head and its body. An upstream that answers before it has read everything is not an
  /// error: sending stops and its answer is read. The body is read from `body` piece by piece.
  Task<std::string_view> send_rest(std::string_view head, RequestBody& body, milliseconds idle_timeout);

  /// Reads the head of the answer, passing over interim (1xx) ones but 101. `to_head_request`: the answer has no body.
  Task<std::string_view> read_head(bool to_head_request, milliseconds first_byte_timeout);

  struct Body {
    std::string_view data;       ///< Decoded bytes, valid until the next call; may be empty before the end.
    bool done = false;           ///< The body ended as its framing says.
    std::string_view failure;    ///< Set: it did not.
  };
  /// The next piece of the answer's body.
  Task<Body> read_body(milliseconds idle_timeout);
  /// The piece that came with what is read already, without waiting.
  Body buffered_body();

  [[nodiscard]] const ResponseParser& answer() const { return *parser_; }
  [[nodiscard]] const Fields& fields() const { return fields_; }
  /// Bytes behind a 101: the first of the tunnel.
  [[nodiscard]] InputBuffer& input() { return input_; }
  [[nodiscard]] Stream& stream() { return stream_; }
  [[nodiscard]] Deadline& deadline() { return deadline_; }
  [[nodiscard]] bool timed_out() const { return timed_out_; }

  /// True when another request may follow on it.
  [[nodiscard]] bool is_reusable() const;
  /// True when an earlier request was served on it.
  [[nodiscard]] bool is_reused() const { return exchanges_ > 1; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t received() const { return received_; }

  /// Ends the exchange: what waits on it fails with `cancelled`.
  void cancel();
  [[nodiscard]] bool is_cancelled() const { return cancelled_; }

 private:
  friend class Origin;
  Task<std::string_view> send_body(std::string_view head, RequestBody& body, milliseconds idle_timeout);
  std::optional<Transfer> read_now();
  [[nodiscard]] std::string_view failure_of(const Transfer& transfer, std::string_view when_closed) const;

  Origin& origin_;
  Stream stream_;
  InputBuffer input_;
  Fields fields_;
  std::optional<ResponseParser> parser_;
  std::uint64_t sent_ = 0, received_ = 0;
  std::uint64_t exchanges_ = 0;
  Instant kept_since_{};
  bool complete_ = true;       // the answer's framing came to its end
  bool is_kept_ = false;
  bool answered_early_ = false;
  bool timed_out_ = false;
  bool cancelled_ = false;
  std::size_t room_ = 0;       // read size: grows while reads fill it
  Deadline deadline_;
  PeerWatch watch_;
};

}  // namespace proxyxai
