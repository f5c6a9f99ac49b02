#include "proxyxai/accounts/account.hpp"


#include <nlohmann/json.hpp>

namespace proxyxai {
namespace {

constexpr seconds minute{60}, hour{3'600}, day{86'400};
constexpr std::size_t most_model_limits = 100;
constexpr std::int64_t largest_limit = 1'000'000'000'000;

void set_window(std::vector<SlidingWindow>& windows, std::vector<SlidingWindow>& before, seconds length, std::int64_t limit) {
  if (limit <= 0) return;
  for (SlidingWindow& each : before) {
    if (each.length() != length) continue;
    each.set_limit(limit);
    windows.push_back(each);
    return;
  }
  windows.emplace_back(length, limit);
}

/// One of `rpm` ... `concurrency`; null: no such limit.
std::int64_t* limit_named(RateLimits& limits, std::string_view name) {
  if (name == "rpm") return &limits.rpm;
  if (name == "rph") return &limits.rph;
  if (name == "rpd") return &limits.rpd;
  if (name == "tpm") return &limits.tpm;
  if (name == "tph") return &limits.tph;
  if (name == "tpd") return &limits.tpd;
  return nullptr;
}

}  // namespace

void Windows::set(const RateLimits& limits) {
  std::vector<SlidingWindow> before_requests = std::move(requests), before_tokens = std::move(tokens);
  requests.clear();
  tokens.clear();
  set_window(requests, before_requests, minute, limits.rpm);
  set_window(requests, before_requests, hour, limits.rph);
  set_window(requests, before_requests, day, limits.rpd);
  set_window(tokens, before_tokens, minute, limits.tpm);
  set_window(tokens, before_tokens, hour, limits.tph);
  set_window(tokens, before_tokens, day, limits.tpd);
}

bool Account::is_at_or_under(const Account& other) const { return row.dna.starts_with(other.row.dna); }

namespace {

/// True when it is so of the account and of every ancestor.
template <class Condition>
bool up_to_root(const Account& account, Condition is_so) {
  for (const Account* each = &account; each != nullptr; each = each->parent.get()) {
    if (!is_so(*each)) return false;
  }
  return true;
}

}  // namespace

bool Account::is_enabled() const {
  return up_to_root(*this, [](const Account& each) { return each.row.enabled && !each.is_closing && !each.is_gone; });
}

bool Account::may_use_path(std::string_view path) const {
  return up_to_root(*this, [path](const Account& each) { return each.access.allows_path(path); });
}

bool Account::may_use_model(std::string_view model) const {
  return up_to_root(*this, [model](const Account& each) { return each.access.allows_model(model); });
}

bool Account::limits_models() const {
  return !up_to_root(*this, [](const Account& each) { return !each.access.limits_models(); });
}

void Account::charge(Money cost, std::int32_t now_month) {
  used_total += cost;
  if (month != now_month) {
    month = now_month;
    month_used = {};
  }
  month_used += cost;
}

void Account::take_back(Money cost, std::int32_t charged_month) {
  used_total -= cost;
  if (month == charged_month) month_used -= cost;
}

std::optional<milliseconds> Account::count_change(Instant now) {
  if (changes == 0 || now - changes_since >= minute) {
    changes_since = now;
    changes = 0;
  }
  if (changes >= most_changes) return std::chrono::ceil<milliseconds>(changes_since + minute - now);
  ++changes;
  return std::nullopt;
}

void Account::apply(const AccountRow& stored) {
  row = stored;
  access = AccessRules(row.allow_ips, row.allow_models, row.resources);
  windows.set(row.limits);
  std::string ignored;
  auto limits = row.model_limits.empty() ? std::nullopt : parse_model_limits(row.model_limits, ignored);
  if (!limits) limits.emplace();
  std::erase_if(by_model, [&](const auto& each) { return !limits->contains(each.first); });
  for (const auto& [model, each] : *limits) by_model[model].set(each);
}

std::optional<std::map<std::string, RateLimits, std::less<>>> parse_model_limits(std::string_view json, std::string& bad) {
  std::map<std::string, RateLimits, std::less<>> result;
  const auto tree = nlohmann::json::parse(json, nullptr, false);
  bad = "it must be an object such as {\"gpt-4o\":{\"rpm\":30,\"tpm\":90000}}";
  if (!tree.is_object() || tree.size() > most_model_limits) return std::nullopt;
  for (const auto& [model, limits] : tree.items()) {
    if (model.empty() || model.size() > 256 || !limits.is_object()) return std::nullopt;
    for (const auto& [name, value] : limits.items()) {
      std::int64_t* const limit = limit_named(result[model], name);
      const bool good = value.is_number_integer() && value >= 0 && value <= largest_limit;
      if (limit == nullptr || !good) {
        bad.assign("'").append(model).append(".").append(name).append("' must be one of rpm, rph, rpd, tpm, tph, tpd and a whole number from 0");
        return std::nullopt;
      }
      *limit = value.get<std::int64_t>();
    }
  }
  return result;
}

}  // namespace proxyxai
