#include "query_fields.hpp"

#include <algorithm>

#include "calendar.hpp"
#include "json_body.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/http/query.hpp"

namespace proxyxai {
namespace {

constexpr std::int64_t largest_page = 1'000;
/// What lies before a page is gone through to find it.
constexpr std::int64_t furthest = 100'000;

}  // namespace

QueryFields::QueryFields(std::string_view query, std::initializer_list<std::string_view> known) : fields_(parse_query(query)) {
  for (auto each = fields_.begin(); each != fields_.end(); ++each) {
    const std::string& name = each->first;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string names;
      for (const std::string_view one : known) names.append(names.empty() ? "" : ", ").append(one);
      throw Refused({400, "unknown_field", "Unknown parameter " + name + ". Known: " + (names.empty() ? "none" : names) + ".", name, true});
    }
    if (std::any_of(fields_.begin(), each, [&name](const auto& before) { return before.first == name; })) refuse_field(name, "is given twice");
  }
}

const std::string& QueryFields::text(std::string_view name) const {
  static const std::string none;
  const auto found = std::find_if(fields_.begin(), fields_.end(), [name](const auto& each) { return each.first == name; });
  return found == fields_.end() ? none : found->second;
}

std::int64_t QueryFields::whole(std::string_view name, std::int64_t lowest, std::int64_t highest, std::int64_t otherwise) const {
  const std::string& value = text(name);
  if (value.empty()) return otherwise;
  const auto number = parse_whole(value);
  if (!number || *number < lowest || *number > highest) {
    refuse_field(std::string(name), "must be a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest));
  }
  return *number;
}

std::optional<std::int32_t> QueryFields::day(std::string_view name) const {
  if (!has(name)) return std::nullopt;
  const auto parsed = parse_day(text(name));
  if (!parsed) refuse_field(std::string(name), "must be a day such as 2026-11-25");
  return parsed;
}

std::optional<WallTime> QueryFields::time(std::string_view name, bool to_its_end) const {
  const std::string& value = text(name);
  if (value.empty()) return std::nullopt;
  if (const auto whole_day = parse_day(value)) return start_of_day(to_its_end ? add_days(*whole_day, 1) : *whole_day);
  const auto moment = parse_rfc3339(value);
  if (!moment) refuse_field(std::string(name), "must be a day such as 2026-11-25 or a time such as 2026-11-25T09:38:00Z");
  return moment;
}

Page read_page(const QueryFields& fields, std::int64_t usual_size) {
  Page page;
  page.size = fields.whole("size", 1, largest_page, usual_size);
  page.offset = (fields.whole("page", 1, furthest, 1) - 1) * page.size;
  if (page.offset > furthest) refuse_field("page", "is too far on: at most " + std::to_string(furthest) + " entries may come before it");
  return page;
}

}  // namespace proxyxai
