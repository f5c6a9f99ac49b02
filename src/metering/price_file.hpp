#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/metering/prices.hpp"

namespace proxyxai {

using Factors = std::map<std::string, std::int64_t>;

/// What a price file says, before it is a table.
struct PriceFile {
  std::map<std::string, Price, std::less<>> models;  ///< By name, aliases too.
  std::optional<Price> fallback;
  Factors tiers;                                     ///< Of entries that name none of their own.
};

/// Reads `text`, adding to `faults` a line for each that it has: where, what, and what is allowed. `label` says which text
/// this is; `tiers` are in force when the file names none.
PriceFile read_price_file(std::string_view text, const std::string& label, const Factors& tiers,
                          std::vector<std::string>& faults);

/// The entries as a price file: dollars, exact, without aliases.
std::string write_price_file(const std::vector<Price>& models, const Price& fallback);

}  // namespace proxyxai
