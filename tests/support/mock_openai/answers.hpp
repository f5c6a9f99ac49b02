#pragma once

#include <map>
#include <string>
#include <vector>

#include "request.hpp"

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
///
/// On a WebSocket those of the upgrade count; see realtime.hpp. Without x-mock-usage completions count one token for each
/// content event, and prompts one for each four bytes of the body, compact and without `stream_options`.

/// The API's answers: the same request always gets the same bytes, so that a direct answer and one through a proxy can be
/// compared. Uploaded files belong to the key that uploaded them.
class Answers {
 public:
  explicit Answers(std::vector<std::string> models) : models_(std::move(models)) {}
  Answer answer(const Request& request);

 private:
  Answer route(const Request& request);
  Answer models(const Request& request) const;
  Answer embeddings(const Request& request, const ordered_json& body) const;
  Answer moderations(const Request& request) const;
  // Each in a file of its own.
  Answer chat(const Request& request, const ordered_json& body, bool is_chat) const;
  Answer responses(const Request& request, const ordered_json& body) const;
  Answer speech(const Request& request) const;
  Answer transcription(const Request& request) const;
  Answer images(const Request& request) const;
  Answer files(const Request& request);

  struct File {
    ordered_json shown;
    std::string content;
  };
  std::vector<std::string> models_;
  std::map<std::string, std::map<std::string, File>> files_;  // by key, by id
};

}  // namespace mock
