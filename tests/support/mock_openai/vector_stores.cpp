#include <algorithm>

#include "nouns.hpp"
#include "references.hpp"

namespace mock {
namespace {

ordered_json counts_of(const Shelf& files) {
  ordered_json counts = {{"in_progress", 0}, {"completed", 0}, {"failed", 0}, {"cancelled", 0}, {"total", 0}};
  for (const Object* const file : files.all()) {
    counts[file->status()] = counts[file->status()].get<std::uint64_t>() + 1;
    counts["total"] = counts["total"].get<std::uint64_t>() + 1;
  }
  return counts;
}

/// Brings what is shown of a store or a batch of files up to date with its files; looking at it is looking at them.
const ordered_json& look_at(Object& holder) {
  std::uint64_t bytes = 0;
  for (Object* const file : holder[kinds::stored_file].all()) {
    file->look();
    bytes += file->shown["usage_bytes"].get<std::uint64_t>();
  }
  const ordered_json counts = counts_of(holder[kinds::stored_file]);
  if (holder.shown.contains("usage_bytes")) holder.shown["usage_bytes"] = bytes;
  if (holder.status() != "cancelled") holder.shown["status"] = counts["in_progress"] == 0 ? "completed" : "in_progress";
  holder.shown["file_counts"] = counts;
  return holder.shown;
}

std::shared_ptr<Object> put(const Call& call, Object& store, const ordered_json& wanted) {
  const Object& file = get(call.project, kinds::file, text_of(wanted, "file_id"), "file_id");
  auto stored = std::make_shared<Object>();
  stored->shown = {{"id", file.id()},
                   {"object", "vector_store.file"},
                   {"usage_bytes", 0},
                   {"created_at", now()},
                   {"vector_store_id", store.id()},
                   {"status", "in_progress"},
                   {"last_error", nullptr},
                   {"chunking_strategy", {{"type", "static"}, {"static", {{"max_chunk_size_tokens", 800}, {"chunk_overlap_tokens", 400}}}}},
                   {"attributes", wanted.value("attributes", ordered_json::object())}};
  stored->content = file.content;
  stored->work.emplace(call.request, std::vector<std::string>{"in_progress"}, [](Object& done) {
    done.shown["usage_bytes"] = done.content.size();
    done.enter("completed");
  });
  store[kinds::stored_file].add(stored);
  return stored;
}

Answer create(Call& call) {
  check_references(call);
  Object& store = call.project[kinds::vector_store].add({{"id", make_id(kinds::vector_store)},
                                                         {"object", "vector_store"},
                                                         {"created_at", now()},
                                                         {"name", call.value("name")},
                                                         {"description", call.value("description")},
                                                         {"usage_bytes", 0},
                                                         {"file_counts", counts_of({})},
                                                         {"status", "completed"},
                                                         {"expires_after", call.value("expires_after")},
                                                         {"expires_at", nullptr},
                                                         {"last_active_at", now()},
                                                         {"metadata", call.value("metadata", ordered_json::object())}});
  for (const ordered_json& id : call.value("file_ids", ordered_json::array())) put(call, store, {{"file_id", id}});
  if (store[kinds::stored_file].size() > 0) store.shown["status"] = "in_progress";
  store.shown["file_counts"] = counts_of(store[kinds::stored_file]);
  return json_answer(store.shown);
}

Answer modify(Call& call, Object& store) {
  call.update(store, {"name", "metadata", "expires_after"});
  return json_answer(look_at(store));
}

/// Files in which a word of the query stands come first.
Answer search(Call& call, Object& store) {
  const ordered_json query = call.value("query", "");
  const std::string wanted = query.is_array() ? query.front().get<std::string>() : query.get<std::string>();
  std::vector<std::pair<double, const Object*>> found;
  for (const Object* const file : store[kinds::stored_file].all()) {
    const bool has = file->content.find(wanted) != file->content.npos;
    if (file->status() == "completed" && call.project[kinds::file].find(file->id()) != nullptr) found.emplace_back(has ? 0.9 : 0.1, file);
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  found.resize(std::min(found.size(), call.value("max_num_results", 10).get<std::size_t>()));
  ordered_json data = ordered_json::array();
  for (const auto& [score, file] : found) {
    data.push_back({{"file_id", file->id()},
                    {"filename", call.project[kinds::file].find(file->id())->shown["filename"]},
                    {"score", score},
                    {"attributes", file->shown["attributes"]},
                    {"content", ordered_json::array({{{"type", "text"}, {"text", file->content.substr(0, 800)}}})}});
  }
  return json_answer({{"object", "vector_store.search_results.page"}, {"search_query", ordered_json::array({wanted})}, {"data", data}, {"has_more", false}, {"next_page", nullptr}});
}

Listing of_status(const Call& call) {
  const std::string wanted = call.request.parameter("filter");
  return {.filter = [wanted](const Object& file) { return wanted.empty() || file.status() == wanted; }};
}

Answer stored_file(Call& call, Object& store) {
  Object& file = call.find(store, kinds::stored_file, 3);
  if (call.is("POST", "vector_stores/*/files/*")) call.update(file, {"attributes"});
  else file.look();
  Answer answer = json_answer(file.shown);
  // The clients' helpers ask again after this time.
  answer.headers.emplace_back("openai-poll-after-ms", "20");
  return answer;
}

Answer content(Call& call, Object& store) {
  const Object& file = call.find(store, kinds::stored_file, 3);
  const ordered_json text = {{"type", "text"}, {"text", file.content}};
  return json_answer({{"object", "vector_store.file_content.page"}, {"data", ordered_json::array({text})}, {"has_more", false}, {"next_page", nullptr}});
}

Answer create_batch(Call& call, Object& store) {
  check_references(call);
  Object& batch = store[kinds::file_batch].add({{"id", make_id(kinds::file_batch)},
                                                {"object", "vector_store.file_batch"},
                                                {"created_at", now()},
                                                {"status", "in_progress"},
                                                {"vector_store_id", store.id()},
                                                {"file_counts", nullptr}});
  for (const ordered_json& id : call.value("file_ids", ordered_json::array())) batch[kinds::stored_file].add(put(call, store, {{"file_id", id}}));
  for (const ordered_json& file : call.value("files", ordered_json::array())) batch[kinds::stored_file].add(put(call, store, file));
  batch.shown["file_counts"] = counts_of(batch[kinds::stored_file]);
  return json_answer(batch.shown);
}

Answer cancel_batch(Object& batch) {
  for (Object* const file : batch[kinds::stored_file].all()) {
    if (!file->work) continue;
    file->work.reset();
    file->enter("cancelled");
  }
  batch.enter("cancelled");
  return json_answer(look_at(batch));
}

Answer file_batches(Call& call, Object& store) {
  if (call.is("POST", "vector_stores/*/file_batches")) return create_batch(call, store);
  if (call.is("GET", "vector_stores/*/file_batches")) return call.unknown_url();
  Object& batch = call.find(store, kinds::file_batch, 3);
  if (call.is("GET", "vector_stores/*/file_batches/*")) {
    Answer answer = json_answer(look_at(batch));
    answer.headers.emplace_back("openai-poll-after-ms", "20");
    return answer;
  }
  if (call.is("POST", "vector_stores/*/file_batches/*/cancel")) return cancel_batch(batch);
  if (call.is("GET", "vector_stores/*/file_batches/*/files")) return call.list(batch[kinds::stored_file], of_status(call));
  return call.unknown_url();
}

}  // namespace

Answer vector_stores(Call& call) {
  if (call.is("POST", "vector_stores")) return create(call);
  if (call.is("GET", "vector_stores")) return call.list(call.project[kinds::vector_store]);
  Object& store = call.find(kinds::vector_store, 1);
  if (call.is("GET", "vector_stores/*")) return json_answer(look_at(store));
  if (call.is("POST", "vector_stores/*")) return modify(call, store);
  if (call.is("DELETE", "vector_stores/*")) return call.remove(call.project, kinds::vector_store, 1, "vector_store.deleted");
  if (call.is("POST", "vector_stores/*/search")) return search(call, store);
  if (call.is("POST", "vector_stores/*/files")) return json_answer(put(call, store, call.body)->shown);
  if (call.is("GET", "vector_stores/*/files")) return call.list(store[kinds::stored_file], of_status(call));
  if (call.is("GET", "vector_stores/*/files/*") || call.is("POST", "vector_stores/*/files/*")) return stored_file(call, store);
  if (call.is("DELETE", "vector_stores/*/files/*")) return call.remove(store, kinds::stored_file, 3, "vector_store.file.deleted");
  if (call.is("GET", "vector_stores/*/files/*/content")) return content(call, store);
  if (call.request.path.find("/file_batches") != call.request.path.npos) return file_batches(call, store);
  return call.unknown_url();
}

}  // namespace mock
