#include "proxyxai/base/ascii.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {

bool has_media_type(std::string_view content_type, std::string_view type) {
  // Nearly all are written in lower case, which one comparison tells.
  if (!content_type.starts_with(type) && !starts_with_lower(content_type, type)) return false;
  return content_type.size() == type.size() || content_type[type.size()] == ';' || content_type[type.size()] == ' ';
}

bool is_in_utf8(std::string_view content_type) {
  static constexpr std::string_view name = "charset";
  for (std::size_t at = content_type.find(';'); at < content_type.size(); ++at) {
    if (!starts_with_lower(content_type.substr(at), name)) continue;
    // Whatever stands there, and however: it may only be one of these.
    auto value = trim(content_type.substr(at + name.size()));
    value = trim(value.substr(0, value.find(';')));
    if (!value.starts_with('=')) return false;
    value = trim(value.substr(1));
    if (value.size() > 1 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
    if (!equals_lower(value, "utf-8") && !equals_lower(value, "utf8") && !equals_lower(value, "us-ascii")) return false;
  }
  return true;
}

}  // namespace proxyxai
