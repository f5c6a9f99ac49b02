#include "proxyxai/audit/comparison.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "text_table.hpp"

namespace proxyxai {
namespace {

double apart(std::int64_t ours, std::int64_t theirs, std::int64_t whole) {
  return ours == theirs ? 0 : std::min(1.0, std::abs(static_cast<double>(ours) - static_cast<double>(theirs)) / static_cast<double>(std::max<std::int64_t>(whole, 1)));
}

double apart(std::int64_t ours, std::int64_t theirs) { return apart(ours, theirs, std::max(ours, theirs)); }

/// Days on which a side has used tokens of a model that it does not know.
void add_nameless(const UsageBook& book, std::set<UtcDay>& days) {
  for (const auto& [place, used] : book.tokens) {
    if (place.second.empty()) days.insert(place.first);
  }
}

std::string percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", share * 100);
  return text;
}

void append(std::vector<std::string>& cells, const UsageComparison::Pair<UsedTokens>& used) {
  for (const auto figure : {&UsedTokens::requests, &UsedTokens::input, &UsedTokens::cached, &UsedTokens::output}) {
    cells.push_back(std::to_string(used.ours.*figure));
    cells.push_back(std::to_string(used.theirs.*figure));
  }
  cells.push_back(percent(difference(used)));
}

std::vector<std::string> cost_cells(std::string name, const UsageComparison::Pair<Money>& cost) {
  return {std::move(name), to_decimal(cost.ours), to_decimal(cost.theirs), percent(difference(cost))};
}

}  // namespace

void UsedTokens::add(const UsedTokens& other) {
  requests += other.requests;
  input += other.input;
  cached += other.cached;
  output += other.output;
}

UsageComparison compare(const UsageBook& ours, const UsageBook& theirs) {
  std::set<UtcDay> nameless;
  add_nameless(ours, nameless);
  add_nameless(theirs, nameless);
  using Used = UsageComparison::Pair<UsedTokens>;
  std::map<UsageBook::Place, Used> found;
  const auto take = [&](const UsageBook& book, UsedTokens Used::* side) {
    for (const auto& [place, used] : book.tokens) {
      const auto& [day, model] = place;
      (found[{day, nameless.contains(day) ? std::string() : model}].*side).add(used);
    }
  };
  take(ours, &Used::ours);
  take(theirs, &Used::theirs);
  UsageComparison comparison;
  for (const auto& [place, used] : found) {
    comparison.lines.push_back({place.first, place.second, used});
    comparison.used.ours.add(used.ours);
    comparison.used.theirs.add(used.theirs);
  }
  std::map<UtcDay, UsageComparison::Pair<Money>> costs;
  for (const auto& [day, cost] : ours.costs) costs[day].ours += cost;
  for (const auto& [day, cost] : theirs.costs) costs[day].theirs += cost;
  for (const auto& [day, cost] : costs) {
    comparison.cost_lines.push_back({day, cost});
    comparison.cost.ours += cost.ours;
    comparison.cost.theirs += cost.theirs;
  }
  return comparison;
}

double difference(const UsageComparison::Pair<UsedTokens>& used) {
  const auto& [ours, theirs] = used;
  return std::max({apart(ours.requests, theirs.requests), apart(ours.input, theirs.input), apart(ours.output, theirs.output),
                   apart(ours.cached, theirs.cached, std::max(ours.input, theirs.input))});
}

double difference(const UsageComparison::Pair<Money>& cost) { return apart(cost.ours.nanos, cost.theirs.nanos); }

std::string show_tokens(const UsageComparison& comparison) {
  TextTable table(2);
  table.add({"", "", "requests", "", "input", "", "cached", "", "output", "", ""});
  table.add({"day", "model", "ours", "theirs", "ours", "theirs", "ours", "theirs", "ours", "theirs", "difference"});
  for (const auto& [day, model, used] : comparison.lines) {
    std::vector<std::string> cells{utc_date(day), model.empty() ? "(all)" : model};
    append(cells, used);
    table.add(std::move(cells));
  }
  std::vector<std::string> total{"total", ""};
  append(total, comparison.used);
  table.add(std::move(total));
  return table.text();
}

std::string show_costs(const UsageComparison& comparison) {
  TextTable table(1);
  table.add({"dollars", "ours", "theirs", "difference"});
  for (const auto& [day, cost] : comparison.cost_lines) table.add(cost_cells(utc_date(day), cost));
  table.add(cost_cells("total", comparison.cost));
  return table.text();
}

}  // namespace proxyxai
