#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxyxai/base/attempt.hpp"
#include "proxyxai/http/request_body.hpp"
#include "proxyxai/keys/pool.hpp"
#include "proxyxai/upstream/origin.hpp"

namespace proxyxai {

/// What is sent upstream, whichever key carries it. Views live as long as the request.
struct Outgoing {
  std::string_view method;
  std::string_view path;          ///< As the client wrote it.
  bool add_prefix = false;        ///< Put `/v1` before it.
  std::string_view query;         ///< Without `?`.
  std::string_view fields;        ///< Header lines that have passed hygiene, each ended by CR LF.
  RequestBody* body = nullptr;
  bool upgrade = false;           ///< Asks for a WebSocket.
};

/// An answer of status 400 or more, as it is kept while another attempt may do better.
struct ErrorAnswer {
  unsigned status = 0;     ///< 0: none.
  std::string fields;      ///< Header lines for the client: hygiene applied, no framing.
  std::string request_id;  ///< Upstream's; empty when it gave none.
  std::string body;
};

/// One attempt: from a key to the head of an answer and the verdict on it.
///
/// Answers that are good (status < 400) leave their body unread on the connection. Error answers have the first
/// `max_error_body` bytes of their body read, because only the body says whose fault it is. Loop thread only; reusable for
/// the next attempt of the same request.
class Exchange {
 public:
  static constexpr std::size_t max_error_body = 64 << 10;

  explicit Exchange(Origins& origins) : origins_(origins) {}

  struct Limits {
    milliseconds first_byte;        ///< For the head of the answer, and where that is a refusal, for all of it.
    milliseconds idle;
    bool fresh_connection = false;  ///< Not a kept one: the last kept one had died.
  };
  /// Runs one attempt with `key` and fills `attempt()`. Never throws for upstream's faults.
  Task<void> run(const Outgoing& outgoing, const UpstreamKey& key, Limits limits);

  [[nodiscard]] Attempt& attempt() { return attempt_; }
  [[nodiscard]] const Attempt& attempt() const { return attempt_; }
  /// Status of the answer; 0: none.
  [[nodiscard]] unsigned answered_status() const { return attempt_.status; }
  /// The connection with the answer's head; null when no answer came.
  [[nodiscard]] UpstreamConnection* connection() { return connection_.get(); }
  /// What was read of an error answer.
  [[nodiscard]] ErrorAnswer& error_answer() { return error_; }
  /// True when its body is all of it.
  [[nodiscard]] bool is_error_complete() const { return error_complete_; }

  /// Gives the connection back for the next request when its exchange ended cleanly, else closes it.
  void release();

  /// The client went away: what runs ends with Fault::client_gone.
  void cancel();
  [[nodiscard]] bool is_cancelled() const { return cancelled_; }
  /// Nobody needs the rest of the answer: its connection closes at once.
  void cancel_upstream();

 private:
  void compose(const Outgoing& outgoing, const UpstreamKey& key);
  void fail(std::string_view reason, bool reused);
  Task<void> read_error(milliseconds idle, Instant end);

  Origins& origins_;
  Origin* origin_ = nullptr;
  std::unique_ptr<UpstreamConnection> connection_;
  Connecting* connecting_ = nullptr;
  Attempt attempt_;
  std::string head_;
  ErrorAnswer error_;
  bool error_complete_ = false;
  bool cancelled_ = false;
};

}  // namespace proxyxai
