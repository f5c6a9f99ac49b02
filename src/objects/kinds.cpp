#include "proxyxai/objects/kinds.hpp"

#include <algorithm>
#include <array>

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

constexpr int forever = 400;  // days; what is used at all is used within a year

/// Responses are kept for 30 days and containers for 20 minutes upstream; what has no end there is kept for `forever`.
constexpr std::array<KindFacts, 16> kinds{{
    {ObjectKind::file, "files", "File", "file-", forever},
    {ObjectKind::batch, "batches", "Batch", "batch_", forever},
    {ObjectKind::tuning_job, "fine_tuning/jobs", "Fine-tuning job", "ftjob-", forever},
    {ObjectKind::vector_store, "vector_stores", "Vector store", "vs_", forever},
    {ObjectKind::assistant, "assistants", "Assistant", "asst_", forever},
    {ObjectKind::container, "containers", "Container", "cntr_", 2},
    {ObjectKind::eval, "evals", "Eval", "eval_", forever},
    {ObjectKind::video, "videos", "Video", "video_", 31},
    {ObjectKind::completion, "chat/completions", "Chat completion", "chatcmpl-", 31},
    {ObjectKind::upload, "uploads", "Upload", "upload_", 2},
    {ObjectKind::thread, "threads", "Thread", "thread_", 90},
    {ObjectKind::response, "responses", "Response", "resp_", 31},
    {ObjectKind::conversation, "conversations", "Conversation", "conv_", forever},
    {ObjectKind::item, {}, "Item", {}, 31},
    {ObjectKind::model, {}, "Model", "ft:", forever},
    {ObjectKind::other, {}, "Object", {}, forever},
}};

/// What stands where an id would, and is a word of the API.
bool is_word(std::string_view segment, const KindFacts& kind) {
  if (segment.starts_with(kind.beginning)) return false;
  return std::all_of(segment.begin(), segment.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

const KindFacts& facts_of(ObjectKind kind) {
  const auto found = std::find_if(kinds.begin(), kinds.end(), [kind](const KindFacts& each) { return each.kind == kind; });
  return found == kinds.end() ? kinds.back() : *found;
}

ObjectKind kind_of(std::string_view id) {
  for (const KindFacts& each : kinds) {
    if (!each.beginning.empty() && id.starts_with(each.beginning)) return each.kind;
  }
  return ObjectKind::other;
}

std::optional<ObjectPath> read_object_path(std::string_view path) {
  if (path.starts_with("/v1/")) path.remove_prefix(4);
  else if (path.starts_with('/')) path.remove_prefix(1);
  for (const KindFacts& each : kinds) {
    if (each.family.empty() || !is_under(path, each.family)) continue;
    ObjectPath found{each.kind, {}, false};
    path.remove_prefix(std::min(each.family.size() + 1, path.size()));
    const auto end = std::min(path.find('/'), path.size());
    found.id = path.substr(0, end);
    found.goes_on = end + 1 < path.size();  // a slash at the end is nothing more
    if (!found.id.empty() && is_word(found.id, each)) return std::nullopt;
    return found;
  }
  return std::nullopt;
}

}  // namespace proxyxai
