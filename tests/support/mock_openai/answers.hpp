#pragma once

#include <string>
#include <vector>

#include "call.hpp"
#include "project.hpp"

namespace mock {

/// How a request's headers steer its answer. A gateway passes them on, so that tests reach the mock through it.
///
///   x-mock-events N         content events of a stream, words of a whole answer, partial images (8; realtime none)
///   x-mock-bytes N          padding of each of them; the size of spoken audio
///   x-mock-raw-bytes N      chat: a stream of so many bytes
///   x-mock-delay-ms N       before the answer
///   x-mock-interval-ms N    between pieces, and between messages of a WebSocket
///   x-mock-usage JSON       {"input","cached","cache_write","audio_input","image_input","output","reasoning","audio_output",
///                           "image_output","total","seconds"}, realtime "cached_audio": any JSON values, sent as they are
///   x-mock-no-usage 1       no usage where there would be one
///   x-mock-no-done 1        a stream without the event that ends it
///   x-mock-tier TEXT        the `service_tier` that served; else flex and priority as asked for, default for the rest
///   x-mock-status TEXT      how a response of the Responses API ends: incomplete, failed
///   x-mock-obfuscation 1    `obfuscation` on deltas
///   x-mock-plant 1          text and structures that look like usage, as clients can make upstream echo them
///   x-mock-looks N          how often what takes a while must be looked at until it is done (2); see work.hpp
///   x-mock-work-ms N        or how long it takes, whether anybody looks or not
///
/// On a WebSocket those of the upgrade count; see realtime.hpp. Without x-mock-usage completions count one token for each
/// content event, and prompts one for each four bytes of the body, compact and without `stream_options`.

/// The API's answers. The same request always gets the same bytes, so that a direct answer and one through a proxy can be compared;
/// but what is stored has an id of its own, and belongs to the project of the key that made it.
class Answers {
 public:
  explicit Answers(std::vector<std::string> models) : models_(std::move(models)) {}
  Answer answer(const Request& request);
  /// What is said on a WebSocket to a response that it asks for.
  std::vector<ordered_json> say(const Request& request);
  Projects& projects() { return projects_; }

 private:
  Answer route(const Request& request);
  Call call_of(const Request& request);
  static Answer embeddings(const Request& request, const ordered_json& body);
  static Answer moderations(const Request& request);
  // Each in a file of its own.
  static Answer speech(const Request& request);
  static Answer transcription(const Request& request);
  static Answer images(const Request& request);

  std::vector<std::string> models_;
  Projects projects_;
};

}  // namespace mock
