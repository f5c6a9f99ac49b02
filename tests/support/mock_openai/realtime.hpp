#pragma once

#include "answers.hpp"

namespace mock {

/// What upstream says on one WebSocket: /v1/realtime, or /v1/responses, whose events are those of its streams.
class Conversation {
 public:
  Conversation(Request upgrade, Answers& answers);

  /// The messages before the client says anything.
  std::vector<std::string> greeting();
  /// The messages that answer one text message. A `response.create` and a `mock.transcription` may bring the numbers of their
  /// own usage as `mock_usage`, which go before the upgrade's `x-mock-usage`. All else comes back in a `mock.echo`.
  std::vector<std::string> reply_to(const std::string& text);

 private:
  void say(const std::string& type, const ordered_json& members);
  void respond(const ordered_json& event);
  void transcribe(const ordered_json& event);
  void stream_response(const std::string& text, const ordered_json& event);
  std::vector<std::string> take() { return std::exchange(out_, {}); }

  Request upgrade_;
  Answers& answers_;
  std::vector<std::string> out_;
  std::uint64_t next_event_ = 1, next_response_ = 1;
};

}  // namespace mock
