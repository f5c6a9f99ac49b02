#pragma once

#include <memory>
#include <optional>
#include <string>

#include <boost/intrusive/list_hook.hpp>

#include "proxyxai/http/gate.hpp"
#include "proxyxai/http/handler.hpp"
#include "proxyxai/http/parser.hpp"
#include "proxyxai/net/input_buffer.hpp"
#include "proxyxai/net/stream.hpp"
#include "proxyxai/net/watchdog.hpp"

namespace proxyxai {

/// The limits of the client side; the settings of the same names.
struct ConnectionLimits {
  GateLimits gate;
  std::uint64_t max_body_bytes = 512ULL << 20;
  milliseconds header_timeout{10'000};
  milliseconds body_idle_timeout{60'000};
  milliseconds keepalive_timeout{75'000};
  milliseconds write_idle_timeout{300'000};  ///< A client that takes no byte for this long is dropped.
};

class Connection;

/// What serves the requests of a listener. Loop thread only.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  /// Serves one request whose head is in `connection.request()`. True: the response is complete and the connection may
  /// carry another request; false: it must be closed.
  virtual Task<bool> serve(Connection& connection) = 0;
  /// A request the gate refused, for counters and the log. The connection answers and closes by itself.
  virtual void on_refused(const Connection& connection, const GateRefusal& refusal) = 0;
};

/// One client connection: reads heads through the gate, hands requests to the handler one after the other (which answers
/// pipelined requests in order), reads bodies, enforces the client side's deadlines. Loop thread only; kept alive by its
/// own `run`.
class Connection : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Connection(Stream stream, Watchdog& watchdog, const ConnectionLimits& limits, std::string peer_address);

  Task<void> run(RequestHandler& handler);

  /// Lets the request in progress finish and then closes; closes at once when there is none.
  void drain();
  [[nodiscard]] bool is_draining() const { return draining_; }
  /// Ends everything now.
  void abort();

  // --- for the handler, during `serve` ---

  [[nodiscard]] const RequestParser& request() const { return *parser_; }
  [[nodiscard]] const Fields& fields() const { return fields_; }
  [[nodiscard]] const std::string& peer_address() const { return peer_address_; }
  [[nodiscard]] bool is_http_1_0() const { return parser_->version() < 11; }

  /// The whole body when its length is known and all of it has arrived: no copy, valid during `serve`.
  [[nodiscard]] std::optional<std::string_view> buffered_body();

  struct BodyRead {
    std::size_t bytes = 0;              ///< Decoded bytes at the start of `into`; may be 0 before the end.
    bool done = false;                  ///< The body is complete.
    std::optional<ApiError> refusal;    ///< Framing fault (400), too large (413) or too slow (408): answer and close.
    bool gone = false;                  ///< The client went away.
  };
  /// The next piece of the body; `into` must hold at least twice the longest chunk line.
  Task<BodyRead> read_body(boost::asio::mutable_buffer into);
  /// True while body bytes are still to be read: answering now means draining or closing.
  [[nodiscard]] bool body_pending() const { return !parser_->is_done() && !body_taken_; }
  /// The declared length, when there is one.
  [[nodiscard]] std::optional<std::uint64_t> body_length() const;
  /// `100 Continue`, when the client waits for it.
  void send_continue();

  /// Writes what the client takes at once: nearly always everything, which is what true means. The buffers are advanced.
  bool write_now(std::span<boost::asio::const_buffer> buffers);
  /// Writes a piece of the response under the write deadline. False: the client is gone.
  Task<bool> write(std::span<boost::asio::const_buffer> buffers);
  /// Writes a complete small response; true when the connection may go on. `extra` is raw header lines, each ended by
  /// CR LF.
  Task<bool> respond(const ApiResponse& response, std::string_view extra = {});

  /// Calls `on_drain`, the one that was given last, when this program is told to stop: for what would not end by itself. Null: no longer.
  void on_drain(std::function<void()> on_drain) { on_drain_ = std::move(on_drain); }
  /// Calls `on_gone` once when the client leaves while nobody reads from it. Until `unwatch`.
  void watch(std::function<void()> on_gone);
  void unwatch();

  [[nodiscard]] Stream& stream() { return stream_; }
  [[nodiscard]] Deadline& deadline() { return deadline_; }
  /// Bytes the client sent behind the head (of an upgrade): not to be parsed as a request.
  [[nodiscard]] InputBuffer& input() { return input_; }
  [[nodiscard]] const ConnectionLimits& limits() const { return limits_; }
  [[nodiscard]] std::uint64_t bytes_in() const { return bytes_in_; }
  /// Bytes of the response written so far.
  [[nodiscard]] std::uint64_t bytes_out() const { return bytes_out_; }
  /// Whether the response may leave the connection open.
  [[nodiscard]] bool may_keep_alive() const;

 private:
  enum class Head { complete, partial, refused, closed };
  Head take_head(RequestHandler& handler);
  Head read_head_now(RequestHandler& handler);
  Task<Head> read_head(RequestHandler& handler);
  Head on_head_read(const Transfer& got, RequestHandler& handler);
  void refuse(RequestHandler& handler, const GateRefusal& refusal);
  [[nodiscard]] bool can_drain() const;
  Task<bool> finish_body();
  Task<void> close_gently();
  Task<Transfer> fill(boost::asio::mutable_buffer into);

  Stream stream_;
  const ConnectionLimits& limits_;
  std::string peer_address_;

  InputBuffer input_;
  std::string carry_;           // raw bytes read beyond a chunked body, or an unfinished chunk line
  Fields fields_;
  std::optional<RequestParser> parser_;
  std::size_t searched_ = 0;     // of an unfinished head: looked through without finding its end
  std::uint64_t body_left_ = 0;  // of a body with Content-Length
  std::uint64_t body_read_ = 0;
  std::uint64_t bytes_in_ = 0, bytes_out_ = 0;
  bool body_taken_ = false;
  bool timed_out_ = false;
  bool body_broken_ = false;  // nobody can tell where it ends: what follows is no request
  bool is_idle_ = false;      // waits for what no stop waits for: a handshake, a head, the rest of a body that nobody wants
  bool draining_ = false;
  std::function<void()> on_gone_, on_drain_;
  Deadline deadline_;
  PeerWatch watch_;
};

/// Appends the head and body of a small response. `extra` is raw header lines, each ended by CR LF.
void append_response(std::string& out, const ApiResponse& response, bool keep_alive, bool without_body,
                     std::string_view extra = {});

/// `HTTP/1.1 200 OK` and CR LF.
void append_status_line(std::string& out, unsigned status);

/// The reason phrase of a status (RFC 9110 15), for responses of our own.
std::string_view reason_phrase(unsigned status);

}  // namespace proxyxai
