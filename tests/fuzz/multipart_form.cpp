// Forms: the first line is the Content-Type, the rest is the body. In any pieces the same is found; and where the scan says that the
// form is whole, a plain reader of RFC 7578, which has all of it at once, finds the same parts and the same model.
#include <algorithm>

#include "check.hpp"
#include "proxyxai/metering/request_scan.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;

namespace {

struct Part {
  std::string_view head, content;
};

/// The parts of a form whose boundary is known to be good, up to `--boundary--`.
std::vector<Part> parts_of(std::string_view body, const std::string& boundary) {
  std::vector<Part> parts;
  const std::string delimiter = "\r\n--" + boundary, text = "\r\n" + std::string(body);
  std::size_t at = text.find(delimiter);
  while (at != text.npos) {
    at += delimiter.size();
    if (text.compare(at, 2, "--") == 0) return parts;
    require(text.compare(at, 2, "\r\n") == 0, "a delimiter of a whole form is followed by a line end");
    const auto end = text.find(delimiter, at);
    require(end != text.npos, "a part of a whole form has an end");
    const auto head_end = text.find("\r\n\r\n", at);
    require(head_end != text.npos && head_end + 4 <= end, "a part of a whole form has a head");
    // Views of the body, which begins two bytes later in `text`.
    parts.push_back({body.substr(at - 2, head_end + 2 - at), body.substr(head_end + 2, end - head_end - 4)});
    at = end;
  }
  fail("a whole form has an end");
}

bool holds(std::string_view head, std::string_view lower) {
  std::string text(head);
  std::transform(text.begin(), text.end(), text.begin(), to_lower);
  return text.find(lower) != text.npos;
}

void check_whole(const RequestFacts& facts, std::string_view type, std::string_view body) {
  // Only the plain way to write it; the scan itself decides what else it takes.
  static constexpr std::string_view plain = "multipart/form-data; boundary=";
  if (!type.starts_with(plain) || type.find_first_of("\"; \t\r", plain.size()) != type.npos) return;
  const std::string boundary(type.substr(plain.size()));
  std::int64_t files = 0, bytes = 0;
  std::string_view model;
  for (const Part& part : parts_of(body, boundary)) {
    static constexpr std::string_view begin = "\r\nContent-Disposition: form-data; name=\"";
    require(holds(part.head, "content-disposition"), "a part of a whole form says what it is");
    if (holds(part.head, "filename")) {
      // Of a name that is read otherwise by others, the scan alone decides.
      if (!part.head.starts_with(begin)) return;
      const auto rest = part.head.substr(begin.size());
      if (rest.substr(rest.find('"')).find("; filename=\"") != 1) return;
      ++files;
      bytes += static_cast<std::int64_t>(part.content.size());
      continue;
    }
    if (!part.head.starts_with(begin)) return;
    const auto name = part.head.substr(begin.size(), part.head.find('"', begin.size()) - begin.size());
    if (name == "file" || name == "image" || name == "image[]" || name == "mask") {
      ++files;
      bytes += static_cast<std::int64_t>(part.content.size());
    }
    if (name == "model") model = part.content;
  }
  same(facts.files, files, "files");
  same(facts.file_bytes, bytes, "bytes of files");
  same(facts.model, model.substr(0, max_model), "model");
}

RequestFacts read(std::string_view type, const Pieces& pieces, bool is_batch) {
  RequestFacts facts;
  MultipartScan scan(facts, type);
  if (is_batch) scan.read_batch();
  feed_all(scan, pieces);
  return facts;
}

void check_same(const RequestFacts& split, const RequestFacts& whole) {
  same(split.form_is_whole, whole.form_is_whole, "form is whole, in pieces");
  same(split.model, whole.model, "model, in pieces");
  same(split.model_begin, whole.model_begin, "begin of the model, in pieces");
  same(split.model_end, whole.model_end, "end of the model, in pieces");
  same(split.stream, whole.stream, "stream, in pieces");
  same(split.n, whole.n, "n, in pieces");
  same(split.size, whole.size, "size, in pieces");
  same(split.quality, whole.quality, "quality, in pieces");
  same(split.response_format, whole.response_format, "response_format, in pieces");
  same(split.purpose, whole.purpose, "purpose, in pieces");
  same(split.text_bytes, whole.text_bytes, "bytes of text, in pieces");
  same(split.files, whole.files, "files, in pieces");
  same(split.file_bytes, whole.file_bytes, "bytes of files, in pieces");
  same(split.audio_ms, whole.audio_ms, "length of audio, in pieces");
  same(split.objects.size(), whole.objects.size(), "objects, in pieces");
  require((split.batch == nullptr) == (whole.batch == nullptr), "batch, in pieces");
  if (!whole.batch) return;
  same(split.batch->model, whole.batch->model, "model of a batch, in pieces");
  same(split.batch->is_readable, whole.batch->is_readable, "a batch is readable, in pieces");
  same(split.batch->text_bytes, whole.batch->text_bytes, "text of a batch, in pieces");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view body = text_of(data, size);
  const std::string type(take_line(body));
  const bool is_batch = body.find("batch") != body.npos;
  const RequestFacts whole = read(type, {body}, is_batch);
  const auto most = static_cast<std::int64_t>(body.size());
  require(whole.text_bytes >= 0 && whole.file_bytes >= 0 && whole.text_bytes + whole.file_bytes <= most, "a form has no more content than bytes");
  require(whole.audio_ms >= 0 && whole.n >= 1 && whole.n <= 1'000, "numbers are within bounds");
  require(whole.model_begin <= whole.model_end && whole.model_end <= body.size(), "the model stands in the body");
  if (!whole.model.empty()) {
    const std::string_view placed = body.substr(whole.model_begin, whole.model_end - whole.model_begin);
    same(whole.model, placed.substr(0, max_model), "the model, where the scan says it stands");
  }
  if (whole.form_is_whole) check_whole(whole, type, body);
  in_pieces(body, [&](const Pieces& pieces) { check_same(read(type, pieces, is_batch), whole); });
  return 0;
}
