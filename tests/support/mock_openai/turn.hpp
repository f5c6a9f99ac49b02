#pragma once

#include "request.hpp"

namespace mock {

/// One turn of the Responses API: what /v1/responses answers to a body, as a whole, as events, and before it is done.
class Turn {
 public:
  /// `context` are the tokens of the turns before it. What is stored gets ids that nothing else has; what is not is the same for
  /// the same request.
  Turn(const Request& request, const ordered_json& body, std::uint64_t context = 0);

  [[nodiscard]] bool is_stored() const { return is_stored_; }
  [[nodiscard]] bool is_in_background() const { return is_true(body_, "background"); }
  /// Not yet done: `queued` or `in_progress`.
  [[nodiscard]] ordered_json begun(const std::string& status) const;
  [[nodiscard]] ordered_json ended() const;
  /// The same over SSE and a WebSocket.
  [[nodiscard]] std::vector<ordered_json> events() const;
  /// The compacted conversation that /v1/responses/compact gives.
  [[nodiscard]] ordered_json compaction() const;
  [[nodiscard]] std::uint64_t input_tokens() const { return request_.seed_size / 4 + context_; }

 private:
  [[nodiscard]] ordered_json response(const std::string& status, ordered_json output) const;
  [[nodiscard]] ordered_json message(const std::string& status, ordered_json content) const;
  [[nodiscard]] ordered_json output() const;
  [[nodiscard]] ordered_json reasoning() const;
  [[nodiscard]] ordered_json call() const;
  [[nodiscard]] ordered_json usage() const;
  [[nodiscard]] bool reasons() const { return body_.contains("reasoning") && body_["reasoning"].is_object(); }
  /// The function that a client makes the model call; null: none.
  [[nodiscard]] const ordered_json* called() const;

  const Request& request_;
  const ordered_json& body_;
  const std::uint64_t context_;
  bool is_stored_;
  std::string id_, message_id_, reasoning_id_, call_id_;
};

}  // namespace mock
