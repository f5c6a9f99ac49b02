#include "proxyxai/base/ascii.hpp"
#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {

bool has_media_type(std::string_view content_type, std::string_view type) {
  // Nearly all are written in lower case, which one comparison tells.
  if (!content_type.starts_with(type) && !starts_with_lower(content_type, type)) return false;
  return content_type.size() == type.size() || content_type[type.size()] == ';' || content_type[type.size()] == ' ';
}

}  // namespace proxyxai
