#pragma once

#include <memory>
#include <string>

#include "proxyxai/metering/prices.hpp"

namespace proxyxai {

/// The built-in prices (config/prices.json as this program was built), with what `file` replaces of them; empty: nothing. Throws Failure
/// naming the file, the entry and what is wrong with it.
std::shared_ptr<const PriceTable> load_prices(const std::string& file);

}  // namespace proxyxai
