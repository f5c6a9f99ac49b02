#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "proxyxai/base/utc_day.hpp"
#include "proxyxai/base/money.hpp"

/// Two books of the same use, held against each other. Pure; any thread.
namespace proxyxai {

struct UsedTokens {
  std::int64_t requests = 0, input = 0, cached = 0, output = 0;  ///< `input` includes `cached`.
  void add(const UsedTokens& other);
};

/// What one side says.
struct UsageBook {
  using Place = std::pair<UtcDay, std::string>;  ///< The day, and the model; empty: not known.
  std::map<Place, UsedTokens> tokens;
  std::map<UtcDay, Money> costs;

  void add(UtcDay day, const std::string& model, const UsedTokens& used) { tokens[{day, model}].add(used); }
};

struct UsageComparison {
  template <class Value>
  struct Pair {
    Value ours{}, theirs{};
  };
  struct Line {
    UtcDay day = 0;
    std::string model;               ///< Empty: of a day whose models one side does not know; all of it.
    Pair<UsedTokens> used;
  };
  struct CostLine {
    UtcDay day = 0;
    Pair<Money> cost;
  };
  std::vector<Line> lines;           ///< By day, then model.
  std::vector<CostLine> cost_lines;
  Pair<UsedTokens> used;             ///< Of all lines.
  Pair<Money> cost;
};
UsageComparison compare(const UsageBook& ours, const UsageBook& theirs);

/// How far they are apart, as a share of the larger: of requests, input or output whichever is furthest; of cached tokens as a
/// share of all input, for they are a part of it. 0 to 1.
double difference(const UsageComparison::Pair<UsedTokens>& used);
double difference(const UsageComparison::Pair<Money>& cost);

/// Aligned columns, a line for each day and model, totals under them.
std::string show_tokens(const UsageComparison& comparison);
/// The same of dollars, by day.
std::string show_costs(const UsageComparison& comparison);

}  // namespace proxyxai
