#include <charconv>
#include <cmath>
#include <system_error>

#include <nlohmann/json.hpp>

#include "proxyxai/audit/usage_api.hpp"
#include "proxyxai/base/error.hpp"

namespace proxyxai {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& what) { throw Failure("upstream's answer is no page of its usage API: " + what); }

const json& array_in(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) refuse(std::string("it has no array '") + name + "'");
  return *found;
}

/// What is missing or null is 0.
std::int64_t count_in(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return 0;
  if (!found->is_number() || found->get<double>() < 0 || found->get<double>() > 9e15) refuse(std::string("'") + name + "' is no count");
  return found->get<std::int64_t>();
}

std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Calls `use` with each result and its day; returns the cursor of the next page.
template <class Use>
std::string each_result(std::string_view text, Use use) {
  const json page = json::parse(text, nullptr, false);
  if (!page.is_object()) refuse("it is no JSON object");
  for (const json& bucket : array_in(page, "data")) {
    if (!bucket.is_object()) refuse("a bucket is no object");
    const auto day = static_cast<UtcDay>(count_in(bucket, "start_time") / seconds_in_day);
    for (const json& result : array_in(bucket, "results")) {
      if (!result.is_object()) refuse("a result is no object");
      use(day, result);
    }
  }
  const auto more = page.find("has_more");
  return more != page.end() && more->is_boolean() && more->get<bool>() ? text_in(page, "next_page") : std::string();
}

/// NaN for what is no number, or one with something behind it.
double number_in(const std::string& text) {
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, failed] = std::from_chars(text.data(), end, number);
  return failed == std::errc{} && rest == end ? number : std::nan("");
}

/// Dollars as a number or, as upstream writes long ones, as text; what is below a nano-dollar is rounded.
Money amount_in(const json& result) {
  const auto found = result.find("amount");
  if (found == result.end() || found->is_null()) return {};
  if (!found->is_object() || text_in(*found, "currency") != "usd") refuse("an amount is not in dollars");
  const json value = found->value("value", json());
  const double amount = value.is_number() ? value.get<double>() : value.is_string() ? number_in(value.get_ref<const std::string&>()) : std::nan("");
  if (!(std::abs(amount) <= to_dollars(most_money))) refuse("an amount is no number");
  return {static_cast<std::int64_t>(std::llround(amount * 1e9))};
}

}  // namespace

std::string read_usage_page(std::string_view text, UsageBook& book) {
  return each_result(text, [&book](UtcDay day, const json& result) {
    const UsedTokens used{count_in(result, "num_model_requests"), count_in(result, "input_tokens"), count_in(result, "input_cached_tokens"),
                          count_in(result, "output_tokens")};
    book.add(day, text_in(result, "model"), used);
  });
}

std::string read_cost_page(std::string_view text, UsageBook& book) {
  return each_result(text, [&book](UtcDay day, const json& result) { book.costs[day] += amount_in(result); });
}

}  // namespace proxyxai
