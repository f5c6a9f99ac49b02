#include "proxyxai/metering/object_names.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

constexpr std::array<std::string_view, 16> object_members{
    "file_id",         "file_ids",      "input_file_id",  "previous_response_id", "thread_id",       "assistant_id",
    "vector_store_id", "vector_store_ids", "training_file", "validation_file",    "container_id",    "response_id",
    "batch_id",        "eval_id",       "conversation_id", "video_id"};

constexpr std::array<std::string_view, 18> object_beginnings{"file-",  "resp_", "conv_", "thread_", "asst_", "vs_",  "batch_", "upload_", "ftjob-",
                                                             "cntr_", "eval_", "video_", "rtc_", "file_", "chatcmpl-", "skill_", "voice_", "ft:"};

constexpr std::uint32_t letter(char c) { return c >= 'a' && c <= 'z' ? 1U << (c - 'a') : 0; }

/// What no id begins with, as the names of most models, is told by its first letter.
constexpr std::uint32_t first_letters = [] {
  std::uint32_t letters = 0;
  for (const std::string_view each : object_beginnings) letters |= letter(each.front());
  return letters;
}();

/// Shorter ones are words.
constexpr std::size_t shortest_id = 8;

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == ':' || c == '.';
}

bool is_item_id(std::string_view value) {
  // Two to six letters and a line: `msg_`, `rs_`, `fc_`, `mcpr_`, `item_`; but what the model calls its calls is no id of upstream's.
  const auto line = value.find('_');
  if (line < 2 || line > 6 || value.starts_with("call_")) return false;
  const auto letters = value.substr(0, line);
  return std::all_of(letters.begin(), letters.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

Naming naming_of(std::string_view member) {
  using Kind = Naming::Kind;
  // Nearly every name ends otherwise.
  if (member.size() < 2 || member.size() > 32) return {};
  const char last = member.back();
  if (last != 'd' && last != 's' && last != 'n' && last != 'r' && last != 'e' && last != 'l') return {};
  const bool ends_as_id = equals(member, "id") || member.ends_with("_id") || member.ends_with("_ids");
  if (ends_as_id || equals(member, "training_file") || equals(member, "validation_file")) {
    const auto known = std::find(object_members.begin(), object_members.end(), member);
    if (known != object_members.end()) return {Kind::object, *known};
    return {equals(member, "id") || equals(member, "item_id") ? Kind::by_shape_or_item : Kind::by_shape, {}};
  }
  if (equals(member, "model")) return {Kind::by_shape, "model"};
  if (equals(member, "conversation") || equals(member, "container") || equals(member, "result_files")) return {Kind::by_shape, {}};
  return {};
}

IdShape shape_of(std::string_view value) {
  if (value.size() < shortest_id || value.size() > max_object_id) return IdShape::none;
  if (!std::all_of(value.begin(), value.end(), is_id_character)) return IdShape::none;
  const auto begins = [value](std::string_view beginning) { return value.starts_with(beginning); };
  const bool may_begin = (first_letters & letter(value.front())) != 0;
  if (may_begin && std::any_of(object_beginnings.begin(), object_beginnings.end(), begins)) return IdShape::object;
  return is_item_id(value) ? IdShape::item : IdShape::none;
}

}  // namespace proxyxai
