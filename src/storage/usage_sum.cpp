#include <algorithm>

#include "proxyxai/storage/account_store.hpp"

namespace proxyxai {

void UsageSum::add(const UsageRow& row, std::int32_t day) {
  last = row.id;
  requests.push_back({row.id, row.model});
  // From the newest: the next request is most often of the same day and model.
  auto sum = std::find_if(days.rbegin(), days.rend(), [&](const DayRow& each) { return each.day == day && each.model == row.model; });
  if (sum == days.rend()) {
    DayRow& added = days.emplace_back();
    added.account_id = row.account_id;
    added.day = day;
    added.model = row.model;
    sum = days.rbegin();
  }
  ++sum->requests;
  sum->input += row.input;
  sum->cached += row.cached;
  sum->output += row.output;
  sum->cost += row.cost;
}

}  // namespace proxyxai
