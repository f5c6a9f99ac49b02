#include "price_file.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/metering/prices.hpp"

namespace proxyxai {
namespace {

constexpr std::string_view tuned_prefix = "ft:";

}  // namespace

std::shared_ptr<const PriceTable> PriceTable::parse(std::string_view text, std::string_view overrides) {
  std::vector<std::string> faults;
  PriceFile file = read_price_file(text, "price file", {}, faults);
  if (faults.empty() && !file.fallback) faults.emplace_back("price file: fallback is missing; allowed: an object of prices");
  auto table = std::make_shared<PriceTable>();
  if (!overrides.empty()) {
    PriceFile own = read_price_file(overrides, "price overrides", file.tiers, faults);
    table->overridden_ = own.models.size();
    for (auto& [name, price] : own.models) file.models[name] = std::move(price);
    if (own.fallback) file.fallback = std::move(own.fallback);
  }
  if (!faults.empty()) {
    std::string message = "cannot use these prices:";
    for (const std::string& each : faults) message.append("\n  ").append(each);
    throw Failure(message);
  }
  for (auto& [name, price] : file.models) {
    table->places_[price.model] = table->prices_.size();
    table->prices_.push_back(std::move(price));
  }
  table->fallback_ = std::move(*file.fallback);
  table->json_ = write_price_file(table->prices_, table->fallback_);
  return table;
}

const Price* PriceTable::find_longest(std::string_view model) const {
  for (auto end = model.size(); end > 0 && end != model.npos; end = model.find_last_of("-:@", end - 1)) {
    if (const auto place = places_.find(model.substr(0, end)); place != places_.end()) return &prices_[place->second];
  }
  return nullptr;
}

const Price* PriceTable::find(std::string_view model) const {
  if (const Price* const found = find_longest(model)) return found;
  if (!model.starts_with(tuned_prefix)) return nullptr;
  model.remove_prefix(tuned_prefix.size());
  return find_longest(model.substr(0, model.find(':')));
}

}  // namespace proxyxai
