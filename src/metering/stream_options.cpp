#include "proxyxai/metering/request_scan.hpp"

namespace proxyxai {

std::optional<BodyEdit> ask_for_usage(const RequestFacts& facts) {
  const auto& found = facts.stream_options;
  if (!found.object_begin || found.include_usage.value_or(false)) return std::nullopt;
  if (found.options_begin) {
    if (found.include_begin && found.include_end) {
      return BodyEdit{*found.include_begin, *found.include_end - *found.include_begin, "true"};
    }
    // Begun, but never ended.
    if (found.include_begin || !found.value_end) return std::nullopt;
    return BodyEdit{*found.options_begin, 0, std::string(R"("include_usage":true)") + (found.options_is_empty ? "" : ",")};
  }
  if (found.value_begin) {
    // Any other value is the client's fault, which upstream must see to name it.
    if (!found.value_is_null || !found.value_end) return std::nullopt;
    return BodyEdit{*found.value_begin, *found.value_end - *found.value_begin, R"({"include_usage":true})"};
  }
  static constexpr const char* member = R"("stream_options":{"include_usage":true})";
  return BodyEdit{*found.object_begin, 0, std::string(member) + (found.body_is_empty ? "" : ",")};
}

}  // namespace proxyxai
