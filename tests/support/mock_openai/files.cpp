#include "form.hpp"
#include "nouns.hpp"

namespace mock {
namespace {

Answer upload(Call& call) {
  const Fields fields(call.request);
  const Part* const file = fields.readable() ? fields.part("file") : nullptr;
  if (file == nullptr) refuse(400, "Could not parse multipart form");
  return json_answer(make_file(call.project, file->filename, fields.text("purpose", "assistants"), file->content).shown);
}

Answer list(Call& call) {
  const std::string purpose = call.request.parameter("purpose");
  const auto fits = [&purpose](const Object& file) { return purpose.empty() || text_of(file.shown, "purpose") == purpose; };
  return call.list(call.project[kinds::file], {.limit = 10'000, .most = 10'000, .filter = fits});
}

}  // namespace

Object& make_file(Object& project, const std::string& filename, const std::string& purpose, std::string content) {
  Object& file = project[kinds::file].add({{"id", make_id(kinds::file)},
                                           {"object", "file"},
                                           {"bytes", content.size()},
                                           {"created_at", now()},
                                           {"expires_at", nullptr},
                                           {"filename", filename},
                                           {"purpose", purpose},
                                           {"status", "processed"},
                                           {"status_details", nullptr}});
  file.content = std::move(content);
  return file;
}

Answer download(const Object& file) {
  Answer answer;
  answer.content_type = "application/octet-stream";
  answer.body = file.content;
  return answer;
}

Answer files(Call& call) {
  if (call.is("POST", "files")) return upload(call);
  if (call.is("GET", "files")) return list(call);
  if (call.is("GET", "files/*")) return json_answer(call.find(kinds::file, 1).shown);
  if (call.is("GET", "files/*/content")) return download(call.find(kinds::file, 1));
  if (call.is("DELETE", "files/*")) return call.remove(call.project, kinds::file, 1, "file");
  return call.unknown_url();
}

}  // namespace mock
