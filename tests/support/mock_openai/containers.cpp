#include "form.hpp"
#include "nouns.hpp"
#include "references.hpp"

namespace mock {
namespace {

Object& put(Object& container, const std::string& name, std::string content) {
  Object& file = container[kinds::container_file].add({{"id", make_id(kinds::container_file)},
                                                       {"object", "container.file"},
                                                       {"bytes", content.size()},
                                                       {"container_id", container.id()},
                                                       {"created_at", now()},
                                                       {"path", "/mnt/data/" + name},
                                                       {"source", "user"}});
  file.content = std::move(content);
  return file;
}

Object& put_copy(Call& call, Object& container, const std::string& id) {
  const Object& file = get(call.project, kinds::file, id, "file_id");
  return put(container, text_of(file.shown, "filename"), file.content);
}

Answer create(Call& call) {
  check_references(call);
  Object& container = call.project[kinds::container].add({{"id", make_id(kinds::container)},
                                                          {"object", "container"},
                                                          {"created_at", now()},
                                                          {"expires_after", call.value("expires_after", {{"anchor", "last_active_at"}, {"minutes", 20}})},
                                                          {"last_active_at", now()},
                                                          {"memory_limit", call.value("memory_limit", "1g")},
                                                          {"name", call.value("name", "")},
                                                          {"status", "running"}});
  for (const ordered_json& id : call.value("file_ids", ordered_json::array())) put_copy(call, container, id.get<std::string>());
  return json_answer(container.shown);
}

Answer add_file(Call& call, Object& container) {
  if (call.body.contains("file_id")) return json_answer(put_copy(call, container, text_of(call.body, "file_id")).shown);
  const Fields fields(call.request);
  const Part* const file = fields.readable() ? fields.part("file") : nullptr;
  if (file == nullptr) refuse(400, "Could not parse multipart form");
  return json_answer(put(container, file->filename, file->content).shown);
}

}  // namespace

Answer containers(Call& call) {
  if (call.is("POST", "containers")) return create(call);
  if (call.is("GET", "containers")) return call.list(call.project[kinds::container]);
  Object& container = call.find(kinds::container, 1);
  if (call.is("GET", "containers/*")) return json_answer(container.shown);
  if (call.is("DELETE", "containers/*")) return call.remove(call.project, kinds::container, 1, "container.deleted");
  if (call.is("POST", "containers/*/files")) return add_file(call, container);
  if (call.is("GET", "containers/*/files")) return call.list(container[kinds::container_file]);
  if (call.is("GET", "containers/*/files/*")) return json_answer(call.find(container, kinds::container_file, 3).shown);
  if (call.is("GET", "containers/*/files/*/content")) return download(call.find(container, kinds::container_file, 3));
  if (call.is("DELETE", "containers/*/files/*")) return call.remove(container, kinds::container_file, 3, "container.file.deleted");
  return call.unknown_url();
}

}  // namespace mock
