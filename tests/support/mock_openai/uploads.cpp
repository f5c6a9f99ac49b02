#include "form.hpp"
#include "nouns.hpp"

namespace mock {
namespace {

constexpr std::int64_t lifetime_s = 3'600;

Answer create(Call& call) {
  for (const char* const name : {"bytes", "filename", "mime_type", "purpose"}) {
    if (!call.body.contains(name)) refuse(400, std::string("Missing required parameter: '") + name + "'.", name, "missing_required_parameter");
  }
  const Object& upload = call.project[kinds::upload].add({{"id", make_id(kinds::upload)},
                                                          {"object", "upload"},
                                                          {"bytes", call.body["bytes"]},
                                                          {"created_at", now()},
                                                          {"filename", call.body["filename"]},
                                                          {"purpose", call.body["purpose"]},
                                                          {"status", "pending"},
                                                          {"expires_at", now() + lifetime_s},
                                                          {"file", nullptr}});
  return json_answer(upload.shown);
}

Object& pending(Call& call) {
  Object& upload = call.find(kinds::upload, 1);
  if (upload.status() != "pending") refuse(400, "Upload " + upload.id() + " is already " + upload.status() + ".");
  return upload;
}

Answer add_part(Call& call) {
  Object& upload = pending(call);
  const Fields fields(call.request);
  const Part* const data = fields.readable() ? fields.part("data") : nullptr;
  if (data == nullptr) refuse(400, "Could not parse multipart form");
  Object& part = upload[kinds::part].add({{"id", make_id(kinds::part)}, {"object", "upload.part"}, {"created_at", now()}, {"upload_id", upload.id()}});
  part.content = data->content;
  return json_answer(part.shown);
}

Answer complete(Call& call) {
  Object& upload = pending(call);
  std::string content;
  for (const ordered_json& id : call.value("part_ids", ordered_json::array())) content += get(upload, kinds::part, id.get<std::string>()).content;
  if (content.size() != upload.shown["bytes"]) refuse(400, "The parts have " + std::to_string(content.size()) + " bytes, the upload announced others.", "part_ids");
  upload.shown["file"] = make_file(call.project, text_of(upload.shown, "filename"), text_of(upload.shown, "purpose"), std::move(content)).shown;
  upload.enter("completed");
  return json_answer(upload.shown);
}

Answer cancel(Call& call) {
  Object& upload = pending(call);
  upload.enter("cancelled");
  return json_answer(upload.shown);
}

}  // namespace

Answer uploads(Call& call) {
  if (call.is("POST", "uploads")) return create(call);
  if (call.is("POST", "uploads/*/parts")) return add_part(call);
  if (call.is("POST", "uploads/*/complete")) return complete(call);
  if (call.is("POST", "uploads/*/cancel")) return cancel(call);
  return call.unknown_url();
}

}  // namespace mock
