#include "answers.hpp"
#include "form.hpp"

namespace mock {

Answer Answers::files(const Request& request) {
  auto& mine = files_[request.key];
  if (request.path == "/v1/files") {
    if (request.method == "POST") {
      const Fields fields(request);
      const Part* const file = fields.readable() ? fields.part("file") : nullptr;
      if (file == nullptr) return error_answer(400, "invalid_request_error", nullptr, "Could not parse multipart form");
      const std::string id = "file-" + sha256_hex(request.key + file->content).substr(0, 24);
      const ordered_json shown = {{"id", id}, {"object", "file"}, {"bytes", file->content.size()}, {"created_at", 1'700'000'000},
                                  {"filename", file->filename}, {"purpose", fields.text("purpose", "assistants")},
                                  {"status", "processed"}};
      mine[id] = {shown, file->content};
      return json_answer(shown);
    }
    ordered_json list = ordered_json::array();
    for (const auto& [id, file] : mine) list.push_back(file.shown);
    return json_answer({{"object", "list"}, {"data", list}, {"has_more", false}});
  }
  std::string id = request.path.substr(10);
  const bool wants_content = id.ends_with("/content");
  if (wants_content) id.resize(id.size() - 8);
  const auto found = mine.find(id);
  if (found == mine.end()) return error_answer(404, "invalid_request_error", nullptr, "No such File object: " + id);
  if (request.method == "DELETE") {
    mine.erase(found);
    return json_answer({{"id", id}, {"object", "file"}, {"deleted", true}});
  }
  if (!wants_content) return json_answer(found->second.shown);
  Answer answer;
  answer.content_type = "application/octet-stream";
  answer.body = found->second.content;
  return answer;
}

}  // namespace mock
