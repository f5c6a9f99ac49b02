// The price file, and overrides behind a line `---`. It is refused in words, or every price is within bounds, and what the table
// shows reads back as the same table.
#include "check.hpp"
#include "metering/price_columns.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/metering/prices.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;

namespace {

constexpr std::int64_t most_price = dollars(10'000).nanos;

void check_amount(std::int64_t nanos) { require(nanos >= 0 && nanos <= most_price, "a price is from 0 to 10000 dollars"); }
void check_factor(std::int64_t thousandths) { require(thousandths >= 0 && thousandths <= 100'000, "a factor is from 0 to 100"); }

void check_price(const Price& price) {
  check_amount(price.input);
  check_amount(price.output);
  for (const PriceColumn& column : price_columns) check_amount((price.*column.value).value_or(0));
  for (const auto& [kind, each] : price.images) check_amount(each);
  for (const auto& [tier, each] : price.tiers) check_factor(each);
  check_factor(price.long_input);
  check_factor(price.long_output);
  require(price.max_output >= 0 && price.max_output <= 10'000'000, "max_output is within bounds");

  Usage usage;
  usage.input = usage.output = usage.cached = usage.audio_output = usage.images = usage.milliseconds = usage.characters = 1'000'000'000;
  if (!price.tiers.empty()) usage.tier = price.tiers.begin()->first;
  const Money most = cost_of(usage, price, 1'000 * list_rate);
  require(most >= Money{} && most <= most_money, "no cost is negative or too large");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::string_view separator = "\n---\n";
  const std::string_view bytes = text_of(data, size);
  const auto middle = bytes.find(separator);
  const std::string_view text = bytes.substr(0, middle);
  const std::string_view overrides = middle == bytes.npos ? std::string_view() : bytes.substr(middle + separator.size());
  std::shared_ptr<const PriceTable> table;
  try {
    table = PriceTable::parse(text, overrides);
  } catch (const Failure& failure) {
    require(std::string_view(failure.what()).find('\n') != std::string_view::npos, "a refusal says what is wrong");
    return 0;
  }
  check_price(table->fallback());
  for (const Price& each : table->all()) {
    check_price(each);
    require(table->find(each.model) == &each, "an entry is found by its name");
    const Price* const dated = table->find(each.model + "-2026-01-01");
    require(dated != nullptr && dated->model.starts_with(each.model), "a dated model is found by its entry");
  }
  const auto again = PriceTable::parse(table->json());
  same(again->json(), table->json(), "what the table shows");
  return 0;
}
