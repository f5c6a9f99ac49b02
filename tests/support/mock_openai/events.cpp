#include "events.hpp"

#include <memory>

namespace mock {
namespace {

Answer stream(std::function<std::optional<std::string>()> next) {
  Answer answer;
  answer.content_type = "text/event-stream; charset=utf-8";
  answer.next_piece = std::move(next);
  return answer;
}

}  // namespace

std::string bare_event(const ordered_json& data) { return "data: " + data.dump() + "\n\n"; }

std::string named_event(const ordered_json& data) { return "event: " + text_of(data, "type") + "\n" + bare_event(data); }

Answer stream_of(const Request& request, std::vector<std::string> all) {
  if (request.asks("x-mock-no-done") && !all.empty()) all.pop_back();
  auto events = std::make_shared<std::vector<std::string>>(std::move(all));
  return stream([events, next = std::size_t{0}]() mutable -> std::optional<std::string> {
    if (next == events->size()) return std::nullopt;
    return (*events)[next++];
  });
}

Answer long_stream(std::uint64_t bytes) {
  auto left = std::make_shared<std::uint64_t>(bytes);
  return stream([left, index = std::uint64_t{0}]() mutable -> std::optional<std::string> {
    if (*left == 0) return std::nullopt;
    std::string piece = "data: " + std::to_string(index) + " ";
    while (piece.size() < 16'382) piece.push_back(static_cast<char>('a' + (index + piece.size()) % 26));
    piece += "\n\n";
    ++index;
    if (piece.size() > *left) piece.resize(static_cast<std::size_t>(*left));
    *left -= piece.size();
    return piece;
  });
}

std::string word(std::uint64_t index, std::uint64_t pad) {
  std::string text = "word" + std::to_string(index) + " ";
  for (std::uint64_t i = 0; i < pad; ++i) text.push_back(static_cast<char>('a' + (index + i) % 26));
  return text;
}

void obfuscate(ordered_json& event, const Request& request, std::uint64_t index) {
  if (!request.asks("x-mock-obfuscation")) return;
  const std::string digest = sha256_hex(request.seed + std::to_string(index));
  event["obfuscation"] = digest.substr(0, 1 + index * 7 % 16);
}

}  // namespace mock
