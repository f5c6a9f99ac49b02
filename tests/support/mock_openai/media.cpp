#include "answers.hpp"

namespace mock {
namespace {

struct Part {
  std::string name, filename, content;
};

std::string parameter(const std::string& head, const std::string& name) {
  const auto at = head.find(" " + name + "=\"");
  if (at == head.npos) return {};
  const auto begin = at + name.size() + 3;
  return head.substr(begin, head.find('"', begin) - begin);
}

/// The parts of a form; nullopt when the body is none.
std::optional<std::vector<Part>> parse_form(const Request& request) {
  const std::string type = request.header("content-type");
  const auto at = type.find("boundary=");
  if (at == type.npos || !type.starts_with("multipart/form-data")) return std::nullopt;
  std::string boundary = type.substr(at + 9);
  if (boundary.starts_with('"')) boundary = boundary.substr(1, boundary.size() - 2);
  const std::string delimiter = "--" + boundary;
  std::vector<Part> parts;
  std::size_t begin = request.body.find(delimiter);
  while (begin != request.body.npos) {
    begin += delimiter.size();
    if (request.body.compare(begin, 2, "--") == 0) return parts;
    const auto head_end = request.body.find("\r\n\r\n", begin);
    const auto end = request.body.find("\r\n" + delimiter, begin);
    if (head_end == request.body.npos || end == request.body.npos) return std::nullopt;
    const std::string head = request.body.substr(begin, head_end - begin);
    parts.push_back({parameter(head, "name"), parameter(head, "filename"), request.body.substr(head_end + 4, end - head_end - 4)});
    begin = end + 2;
  }
  return std::nullopt;
}

const Part* find_part(const std::vector<Part>& parts, const std::string& name) {
  for (const Part& each : parts) {
    if (each.name == name || each.name == name + "[]") return &each;
  }
  return nullptr;
}

Answer bad_form() { return error_answer(400, "invalid_request_error", nullptr, "Could not parse multipart form"); }

/// A PNG of one pixel.
constexpr const char* png =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

}  // namespace

Answer Answers::speech(const Request& request) const {
  const ordered_json body = ordered_json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("input")) return error_answer(400, "invalid_request_error", nullptr, "input is required");
  Answer answer;
  answer.content_type = "audio/mpeg";
  const std::uint64_t size = request.number("x-mock-bytes", 65'536);
  const std::string seed = sha256_hex(request.body);
  auto sent = std::make_shared<std::uint64_t>(0);
  answer.next_piece = [size, seed, sent]() -> std::optional<std::string> {
    if (*sent >= size) return std::nullopt;
    std::string piece;
    while (piece.size() < 8'192 && *sent + piece.size() < size) {
      const std::uint64_t at = *sent + piece.size();
      piece.push_back(static_cast<char>(seed[at % seed.size()] * 31 + static_cast<int>(at % 251)));
    }
    *sent += piece.size();
    return piece;
  };
  return answer;
}

Answer Answers::transcription(const Request& request) const {
  std::string text = "bytes=" + std::to_string(request.body_size) + " sha256=" + request.body_sha256;
  std::string format = "json";
  if (request.body_kept) {
    const auto parts = parse_form(request);
    if (!parts) return bad_form();
    const Part* const file = find_part(*parts, "file");
    if (file == nullptr || find_part(*parts, "model") == nullptr) return error_answer(400, "invalid_request_error", nullptr, "you must provide a model parameter and a file");
    text = "bytes=" + std::to_string(file->content.size()) + " sha256=" + sha256_hex(file->content);
    if (const Part* const wanted = find_part(*parts, "response_format")) format = wanted->content;
  }
  if (format == "text" || format == "srt" || format == "vtt") {
    Answer answer;
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = text + "\n";
    return answer;
  }
  if (format == "verbose_json") {
    return json_answer({{"task", "transcribe"}, {"language", "english"}, {"duration", 4.2}, {"text", text}, {"segments", ordered_json::array()},
                        {"usage", {{"type", "duration"}, {"seconds", 5}}}});
  }
  return json_answer({{"text", text},
                      {"usage", {{"type", "tokens"}, {"input_tokens", 14}, {"input_token_details", {{"text_tokens", 0}, {"audio_tokens", 14}}},
                                 {"output_tokens", 45}, {"total_tokens", 59}}}});
}

Answer Answers::images(const Request& request) const {
  std::string digest = request.body_sha256;
  if (request.path != "/v1/images/generations" && request.header("content-type").starts_with("multipart/")) {
    const auto parts = parse_form(request);
    const Part* const image = parts ? find_part(*parts, "image") : nullptr;
    if (image == nullptr) return bad_form();
    digest = sha256_hex(image->content);
  }
  return json_answer({{"created", 1'700'000'000},
                      {"data", {{{"b64_json", png}, {"revised_prompt", "sha256=" + digest}}}},
                      {"usage", {{"input_tokens", 50}, {"input_tokens_details", {{"text_tokens", 10}, {"image_tokens", 40}}},
                                 {"output_tokens", 50}, {"total_tokens", 100}}}});
}

Answer Answers::files(const Request& request) {
  auto& mine = files_[request.key];
  if (request.path == "/v1/files") {
    if (request.method == "POST") {
      const auto parts = parse_form(request);
      const Part* const file = parts ? find_part(*parts, "file") : nullptr;
      if (file == nullptr) return bad_form();
      const Part* const purpose = find_part(*parts, "purpose");
      const std::string id = "file-" + sha256_hex(request.key + file->content).substr(0, 24);
      const ordered_json shown = {{"id", id}, {"object", "file"}, {"bytes", file->content.size()}, {"created_at", 1'700'000'000},
                                  {"filename", file->filename}, {"purpose", purpose == nullptr ? "assistants" : purpose->content},
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
