#pragma once

#include <string>
#include <vector>

namespace proxyxai {

/// Rows of cells, in columns that are as wide as their widest cell.
class TextTable {
 public:
  /// The first `words` columns begin where their column begins; all others are numbers, and end where it ends.
  explicit TextTable(std::size_t words) : words_(words) {}

  /// Every row has the same number of cells.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] std::string text() const;

 private:
  const std::size_t words_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace proxyxai
