#include "prices.hpp"

#include <fstream>
#include <sstream>

#include <spdlog/spdlog.h>

#include "builtin_prices.hpp"
#include "proxyxai/base/error.hpp"

namespace proxyxai {

std::shared_ptr<const PriceTable> load_prices(const std::string& file) {
  if (file.empty()) return PriceTable::parse(builtin_prices);
  const std::ifstream stream(file);
  if (!stream) throw Failure("PRICES_FILE: '" + file + "' cannot be read");
  std::stringstream text;
  text << stream.rdbuf();
  // Also what is a directory reads as empty, and would be taken for no prices of one's own.
  if (text.view().empty()) throw Failure("PRICES_FILE: '" + file + "' is empty, or no file");
  std::shared_ptr<const PriceTable> table;
  try {
    table = PriceTable::parse(builtin_prices, text.view());
  } catch (const Failure& failure) {
    throw Failure("PRICES_FILE '" + file + "': " + failure.what());
  }
  // One that was emptied by mistake is as good as none: what it priced before costs what is built in.
  const auto level = table->overridden() == 0 ? spdlog::level::warn : spdlog::level::info;
  spdlog::log(level, "prices: {} names, {} of them from PRICES_FILE '{}'", table->all().size(), table->overridden(), file);
  return table;
}

}  // namespace proxyxai
