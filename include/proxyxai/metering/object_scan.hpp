#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/metering/object_names.hpp"

namespace proxyxai {

/// Finds the ids that an answer tells while it passes, be it JSON or server-sent events, in pieces of any size. What upstream only
/// repeats (`metadata`, `tools`, schemas, `input`) was written by the caller or its tools, and is passed over. One answer; loop thread; bounded memory.
class ObjectScan {
 public:
  enum class Format : std::uint8_t {
    json,
    documents,     ///< One after another, as a WebSocket tells them.
    events,        ///< Named ones; those that tell pieces of text (`...delta`) are passed over.
    first_event,   ///< Only the first that tells an id, as chunks of a chat all tell the same.
  };
  /// `own_beginning`, of static storage: how the id begins that is the answer's own, where its events tell of others first.
  explicit ObjectScan(Format format, std::string_view own_beginning = {});
  ~ObjectScan();
  ObjectScan(const ObjectScan&) = delete;
  ObjectScan& operator=(const ObjectScan&) = delete;

  void feed(std::string_view piece);
  /// What is fed next is another document.
  void restart();

  /// What was found since the last call, each once in a row.
  std::vector<ObjectName> take();
  [[nodiscard]] bool has_found() const;
  /// One JSON document, whose parts come in any order.
  [[nodiscard]] bool is_document() const;
  /// The first `id` at the top of the document, of an event or of its `response` that begins as the answer's own; empty: none yet.
  [[nodiscard]] const std::string& own_id() const;
  /// `status` at the top, or in the last event's `response`; empty: not told.
  [[nodiscard]] const std::string& status() const;
  /// `fine_tuned_model` at the top; empty: not told.
  [[nodiscard]] const std::string& tuned_model() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace proxyxai
