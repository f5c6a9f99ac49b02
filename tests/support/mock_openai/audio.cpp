#include "answers.hpp"
#include "events.hpp"
#include "form.hpp"
#include "usage.hpp"

namespace mock {
namespace {

char sound(const std::string& seed, std::uint64_t at) { return static_cast<char>(seed[at % seed.size()] * 31 + static_cast<int>(at % 251)); }

Answer binary_speech(const Request& request) {
  Answer answer;
  answer.content_type = "audio/mpeg";
  const std::uint64_t size = request.number("x-mock-bytes", 65'536);
  auto sent = std::make_shared<std::uint64_t>(0);
  answer.next_piece = [size, seed = request.seed, sent]() -> std::optional<std::string> {
    if (*sent >= size) return std::nullopt;
    std::string piece;
    while (piece.size() < 8'192 && *sent + piece.size() < size) piece.push_back(sound(seed, *sent + piece.size()));
    *sent += piece.size();
    return piece;
  };
  return answer;
}

Answer streamed_speech(const Request& request) {
  const std::uint64_t events = request.number("x-mock-events", 8), size = request.number("x-mock-bytes", 96);
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < events; ++i) {
    std::string piece;
    while (piece.size() < size) piece.push_back(sound(request.seed, i * size + piece.size()));
    all.push_back(bare_event({{"type", "speech.audio.delta"}, {"audio", base64(piece)}}));
  }
  ordered_json done = {{"type", "speech.audio.done"}};
  add_usage(done, request, speech_usage({request, {{"input", request.seed_size / 4}, {"output", events}}}));
  plant(done, request);
  all.push_back(bare_event(done));
  return stream_of(request, std::move(all));
}

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4 && at + i < bytes.size(); ++i) value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

/// The length of a WAV file; of anything else what it takes to say hello.
double seconds_of(const std::string& file) {
  constexpr double otherwise = 4.2;
  if (!file.starts_with("RIFF") || file.substr(8, 8) != "WAVEfmt ") return otherwise;
  const double bytes_per_second = number_at(file, 28);
  const auto data = file.find("data", 36);
  return data == file.npos || bytes_per_second == 0 ? otherwise : number_at(file, data + 4) / bytes_per_second;
}

Answer streamed_transcript(const Request& request, const std::string& text) {
  const std::uint64_t events = request.number("x-mock-events", 8);
  std::string whole;
  std::vector<std::string> all;
  for (std::uint64_t i = 0; i < events; ++i) {
    const std::string piece = i == 0 ? text + " " : word(i, request.number("x-mock-bytes", 0));
    ordered_json delta = {{"type", "transcript.text.delta"}, {"delta", piece}};
    obfuscate(delta, request, i);
    all.push_back(bare_event(delta));
    whole += piece;
  }
  ordered_json done = {{"type", "transcript.text.done"}, {"text", whole}};
  add_usage(done, request, transcript_usage({request, {{"input", 14}, {"output", events}}}));
  plant(done, request);
  all.push_back(bare_event(done));
  return stream_of(request, std::move(all));
}

Answer plain_text(const std::string& text) {
  Answer answer;
  answer.content_type = "text/plain; charset=utf-8";
  answer.body = text + "\n";
  return answer;
}

}  // namespace

Answer Answers::speech(const Request& request) {
  const Fields fields(request);
  if (fields.part("input") == nullptr) return error_answer(400, "invalid_request_error", nullptr, "input is required");
  return fields.text("stream_format") == "sse" ? streamed_speech(request) : binary_speech(request);
}

Answer Answers::transcription(const Request& request) {
  const bool translates = request.path == "/v1/audio/translations";
  const Fields fields(request);
  std::string text = "bytes=" + std::to_string(request.body_size) + " sha256=" + request.body_sha256;
  double seconds = 4.2;
  if (request.body_kept) {
    if (!fields.readable()) return error_answer(400, "invalid_request_error", nullptr, "Could not parse multipart form");
    const Part* const file = fields.part("file");
    if (file == nullptr || fields.part("model") == nullptr) return error_answer(400, "invalid_request_error", nullptr, "you must provide a model parameter and a file");
    text = "bytes=" + std::to_string(file->content.size()) + " sha256=" + sha256_hex(file->content);
    seconds = seconds_of(file->content);
  }
  const bool by_duration = fields.text("model").starts_with("whisper");
  const std::string format = fields.text("response_format", "json");
  if (!translates && !by_duration && fields.text("stream") == "true") return streamed_transcript(request, text);
  if (format == "text" || format == "srt" || format == "vtt") return plain_text(text);
  const Figures figures(request, {{"input", 14}, {"output", request.number("x-mock-events", 45)}, {"seconds", seconds}});
  ordered_json answer = {{"text", text}};
  if (format == "verbose_json") {
    answer = {{"task", translates ? "translate" : "transcribe"}, {"language", "english"}, {"duration", figures["seconds"]}, {"text", text},
              {"segments", ordered_json::array()}};
  }
  if (!translates) add_usage(answer, request, by_duration ? duration_usage(figures) : transcript_usage(figures));
  plant(answer, request);
  return json_answer(answer);
}

}  // namespace mock
