#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxyxai/base/clock.hpp"

namespace proxyxai {

/// The parameters of a management call's query. Faults are thrown as Refused and name the parameter; one without a value is
/// one that is not given. Pure; any thread.
class QueryFields {
 public:
  /// Refuses parameters that are not `known`, and those given twice.
  QueryFields(std::string_view query, std::initializer_list<std::string_view> known);

  /// Empty: not given.
  [[nodiscard]] const std::string& text(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return !text(name).empty(); }
  [[nodiscard]] std::int64_t whole(std::string_view name, std::int64_t lowest, std::int64_t highest, std::int64_t otherwise) const;
  /// `YYYY-MM-DD`.
  [[nodiscard]] std::optional<std::int32_t> day(std::string_view name) const;
  /// A day or a time of RFC 3339; of a day its first moment or, with `to_its_end`, that of the next.
  [[nodiscard]] std::optional<WallTime> time(std::string_view name, bool to_its_end) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Which part of a listing: `page` from 1, and `size`.
struct Page {
  std::int64_t offset = 0, size = 0;
};
Page read_page(const QueryFields& fields, std::int64_t usual_size);

}  // namespace proxyxai
