#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

/// What upstream keeps under one key, and where its paths name it. Any thread.
namespace proxyxai {

/// Stored: numbers never change. Those below 16 have a list of their own upstream.
enum class ObjectKind : std::uint8_t {
  file = 1, batch, tuning_job, vector_store, assistant, container, eval, video, completion,
  model,  ///< A fine-tuned one.
  upload = 16, thread, response, conversation,
  item,   ///< Of a response or conversation.
  other,  ///< Named by an answer, of no kind that this program knows.
};
inline constexpr std::size_t object_kinds = 32;  ///< More than the greatest number.

/// What may be used together with others of its account, so that these should be made under the same key.
constexpr bool binds(ObjectKind kind) { return kind < ObjectKind::completion; }
constexpr bool has_list(ObjectKind kind) { return static_cast<std::uint8_t>(kind) < 16; }

struct KindFacts {
  ObjectKind kind;
  std::string_view family;     ///< Its path behind `/v1/`; empty: it has none.
  std::string_view noun;       ///< As error messages call it.
  std::string_view beginning;  ///< Of its ids.
  int days;                    ///< Kept this long after it was used last, as upstream keeps it or longer.
};
const KindFacts& facts_of(ObjectKind kind);
/// By the beginning of an id.
ObjectKind kind_of(std::string_view id);

/// Where a path leads among the things that upstream keeps.
struct ObjectPath {
  ObjectKind kind = ObjectKind::other;
  std::string_view id;        ///< Empty: the path is that of all of the kind. A view into the path.
  bool goes_on = false;       ///< More of the path follows: something within the object, or done with it.
};
/// `path` with or without `/v1`. Nullopt: it leads to no such thing, as `/v1/embeddings` does not, nor `/v1/responses/compact`.
std::optional<ObjectPath> read_object_path(std::string_view path);

}  // namespace proxyxai
