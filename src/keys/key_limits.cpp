#include "key_limits.hpp"

#include <algorithm>
#include <tuple>

namespace proxyxai {
namespace {

constexpr milliseconds longest_told{std::chrono::hours{24}};
constexpr milliseconds longest_default{std::chrono::minutes{1}};
/// What is stored may say anything; no deadline of ours is as far away, and none overflows.
constexpr milliseconds far_away{std::chrono::hours{24 * 366}};
constexpr std::string_view no_capacity = "no_capacity";

/// Makes room for one more by dropping what `before` puts first.
template <typename Map, typename Before>
void make_room(Map& map, Before before) {
  if (map.size() < KeyLimits::max_subjects) return;
  map.erase(std::min_element(map.begin(), map.end(),
                             [&](const auto& a, const auto& b) { return before(a.second, b.second); }));
}

}  // namespace

WallTime Moment::to_wall(Instant instant) const { return wall + std::chrono::round<milliseconds>(instant - now); }

Instant Moment::to_instant(WallTime time) const {
  if (time >= wall + far_away) return now + far_away;
  if (time <= wall - far_away) return now - far_away;
  return now + (time - wall);
}

Access KeyLimits::access(std::string_view model, std::string_view endpoint, Instant now) const {
  if (!models_.empty() && models_.contains(model)) return {Access::Kind::excluded, {}};
  if (!endpoints_.empty() && endpoints_.contains(endpoint)) return {Access::Kind::excluded, {}};
  if (coolings_.empty()) return {};
  const auto it = coolings_.find(model);
  if (it == coolings_.end() || it->second.end() <= now) return {};
  return {Access::Kind::cooling, it->second.end()};
}

bool KeyLimits::cool(std::string_view model, const Pace& pace, std::string_view reason, const Moment& moment) {
  Cooling* cooling = cooling_for(model);
  if (cooling == nullptr) return false;
  const bool cools = cooling->until > moment.now;
  Instant until{};
  if (pace.told && *pace.told > milliseconds::zero()) {
    until = moment.now + std::min(*pace.told, longest_told);
  } else {
    // Requests that were under way together are refused together: that is one refusal, not many.
    if (!cools || cooling->length == milliseconds::zero()) {
      const milliseconds next = cooling->length == milliseconds::zero() ? pace.first : cooling->length * 2;
      cooling->length = std::min(next, std::max(longest_default, pace.first));
    }
    until = moment.now + cooling->length;
  }
  if (until <= cooling->until) return false;
  cooling->until = until;
  cooling->reason = reason;
  if (!cools) cooling->since = moment.wall;
  return true;
}

void KeyLimits::pass_over(std::string_view model, Instant until, const Moment& moment) {
  if (until <= moment.now) return;
  Cooling* cooling = cooling_for(model);
  if (cooling == nullptr || until <= cooling->zero_until) return;
  if (cooling->zero_until <= moment.now) cooling->zero_since = moment.wall;
  cooling->zero_until = until;
}

void KeyLimits::succeeded(std::string_view model, Instant now) {
  if (coolings_.empty()) return;
  const auto it = coolings_.find(model);
  if (it == coolings_.end()) return;
  if (it->second.end() <= now) {
    coolings_.erase(it);
  } else {
    it->second.length = milliseconds::zero();
  }
}

bool KeyLimits::exclude(Scope scope, std::string_view subject, std::string_view reason, const Moment& moment) {
  return add(scope == Scope::model ? models_ : endpoints_, subject, reason, moment.wall);
}

bool KeyLimits::lift_exclusions() {
  const bool any = !models_.empty() || !endpoints_.empty();
  models_.clear();
  endpoints_.clear();
  return any;
}

void KeyLimits::restore(const std::vector<KeyLimit>& limits, const Moment& moment) {
  coolings_.clear();
  lift_exclusions();
  for (const KeyLimit& limit : limits) {
    if (limit.kind == KeyLimit::Kind::excluded_model) {
      add(models_, limit.subject, limit.reason, limit.since);
    } else if (limit.kind == KeyLimit::Kind::excluded_endpoint) {
      add(endpoints_, limit.subject, limit.reason, limit.since);
    } else if (limit.until && *limit.until > moment.wall) {
      if (Cooling* cooling = cooling_for(limit.subject)) {
        cooling->until = moment.to_instant(*limit.until);
        cooling->reason = limit.reason;
        cooling->since = limit.since;
      }
    }
  }
}

std::vector<KeyLimit> KeyLimits::list(const Moment& moment, bool transient) const {
  std::vector<KeyLimit> result;
  for (const auto& [model, cooling] : coolings_) {
    if (cooling.until > moment.now) {
      result.push_back({KeyLimit::Kind::cooling, model, cooling.reason, cooling.since, moment.to_wall(cooling.until)});
    } else if (transient && cooling.zero_until > moment.now) {
      result.push_back({KeyLimit::Kind::cooling, model, std::string(no_capacity), cooling.zero_since,
                        moment.to_wall(cooling.zero_until)});
    }
  }
  for (const auto& [model, exclusion] : models_) {
    result.push_back({KeyLimit::Kind::excluded_model, model, exclusion.reason, exclusion.since, std::nullopt});
  }
  for (const auto& [endpoint, exclusion] : endpoints_) {
    result.push_back({KeyLimit::Kind::excluded_endpoint, endpoint, exclusion.reason, exclusion.since, std::nullopt});
  }
  std::sort(result.begin(), result.end(), [](const KeyLimit& a, const KeyLimit& b) {
    return std::tie(a.kind, a.subject) < std::tie(b.kind, b.subject);
  });
  return result;
}

KeyLimits::Cooling* KeyLimits::cooling_for(std::string_view model) {
  if (model.size() > max_subject_length) return nullptr;
  if (const auto it = coolings_.find(model); it != coolings_.end()) return &it->second;
  make_room(coolings_, [](const Cooling& a, const Cooling& b) { return a.end() < b.end(); });
  return &coolings_.emplace(model, Cooling{}).first->second;
}

bool KeyLimits::add(Map<Exclusion>& to, std::string_view subject, std::string_view reason, WallTime since) {
  // A request that names none says nothing about the others that name none.
  if (subject.empty() || subject.size() > max_subject_length || to.contains(subject)) return false;
  make_room(to, [](const Exclusion& a, const Exclusion& b) { return a.since < b.since; });
  to.emplace(subject, Exclusion{std::string(reason), since});
  return true;
}

}  // namespace proxyxai
