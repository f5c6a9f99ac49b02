#include "answers.hpp"
#include "events.hpp"
#include "form.hpp"
#include "usage.hpp"

namespace mock {
namespace {

/// A PNG of one pixel.
constexpr const char* png =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

std::string model_of(const std::string& kind, const Fields& fields) { return fields.text("model", kind == "edits" ? "gpt-image-1.5" : "dall-e-2"); }

ordered_json usage_of(const Request& request, const std::string& kind, std::uint64_t count) {
  Figures figures(request, {{"input", 50}, {"output", 50 * count}});
  // The picture to change is most of what an edit reads.
  if (kind == "edits" && !figures.asked("input")) figures = Figures(request, {{"input", 50}, {"image_input", 40}, {"output", 50 * count}});
  return image_usage(figures);
}

/// The members that tell what kind of picture was made.
ordered_json described(const Fields& fields) {
  return {{"background", "opaque"}, {"output_format", "png"}, {"quality", fields.text("quality", "medium")}, {"size", fields.text("size", "1024x1024")}};
}

Answer streamed(const Request& request, const std::string& kind, const Fields& fields, std::uint64_t count) {
  const std::string prefix = kind == "edits" ? "image_edit." : "image_generation.";
  const auto event = [&](const char* name) {
    ordered_json made = {{"type", prefix + name}, {"b64_json", png}, {"created_at", 1'700'000'000}};
    made.update(described(fields));
    return made;
  };
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < request.number("x-mock-events", fields.number("partial_images", 2)); ++i) {
    ordered_json partial = event("partial_image");
    partial["partial_image_index"] = i;
    all.push_back(named_event(partial));
  }
  ordered_json completed = event("completed");
  add_usage(completed, request, usage_of(request, kind, count));
  plant(completed, request);
  all.push_back(named_event(completed));
  return stream_of(request, std::move(all));
}

}  // namespace

Answer Answers::images(const Request& request) {
  const std::string kind = request.path.substr(11);
  const Fields fields(request);
  std::string digest = request.body_sha256;
  if (kind != "generations" && request.header("content-type").starts_with("multipart/")) {
    const Part* const image = fields.readable() ? fields.part("image") : nullptr;
    if (image == nullptr) return error_answer(400, "invalid_request_error", nullptr, "Could not parse multipart form");
    digest = sha256_hex(image->content);
  }
  const bool by_tokens = model_of(kind, fields).starts_with("gpt-image");
  const std::uint64_t count = std::min<std::uint64_t>(fields.number("n", 1), 10);
  if (by_tokens && fields.text("stream") == "true") return streamed(request, kind, fields, count);
  ordered_json pictures = ordered_json::array();
  for (std::uint64_t i = 0; i < count; ++i) pictures.push_back({{"b64_json", png}, {"revised_prompt", "sha256=" + digest}});
  ordered_json answer = {{"created", 1'700'000'000}, {"data", pictures}};
  if (by_tokens) {
    answer.update(described(fields));
    add_usage(answer, request, usage_of(request, kind, count));
  }
  plant(answer, request);
  return json_answer(answer);
}

}  // namespace mock
