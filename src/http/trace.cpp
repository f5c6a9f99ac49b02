#include "proxyxai/http/trace.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

constexpr std::size_t id_at = 3, id_size = 32, parent_at = 36, parent_size = 16, whole_size = 55;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

}  // namespace

std::string_view trace_id(const Fields& fields) {
  const std::string_view value = find(fields, "traceparent");
  // version "-" trace-id "-" parent-id "-" flags; a later version may add more behind another dash.
  if (value.size() < whole_size || (value.size() > whole_size && (value.starts_with("00") || value[whole_size] != '-'))) return {};
  const std::string_view version = value.substr(0, 2), id = value.substr(id_at, id_size), parent = value.substr(parent_at, parent_size);
  const bool has_dashes = value[2] == '-' && value[id_at + id_size] == '-' && value[parent_at + parent_size] == '-';
  const bool is_valid = has_dashes && is_hex(version) && version != "ff" && is_hex(id) && !is_zero(id) && is_hex(parent) && !is_zero(parent) &&
                        is_hex(value.substr(whole_size - 2, 2));
  return is_valid ? id : std::string_view();
}

}  // namespace proxyxai
