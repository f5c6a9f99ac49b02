#include "proxyxai/keys/pool.hpp"

#include "pool_impl.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

bool contains(std::span<const KeyId> ids, KeyId id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

std::uint32_t weight_of(const UpstreamKey& key) { return std::clamp(key.weight, 1U, 1000U); }

}  // namespace

KeyPool::Impl::Pick KeyPool::Impl::look(const Wanted& wanted, Instant now) const {
  KeyEntry* again = nullptr;
  std::optional<Instant> ready_at;
  for (const auto& [number, level] : levels) {
    // A rested key first: it is healed by being used, and one request at a time is all that it gets.
    for (KeyEntry* entry : level.resting()) {
      if (entry->until > now) break;
      if (entry->half_open || contains(wanted.tried, entry->key->id)) continue;
      const Access access = entry->limits.access(wanted.model, wanted.endpoint, now);
      if (access.kind == Access::Kind::usable) return {entry, false, false, std::nullopt};
    }
    for (KeyEntry* entry : level.ready()) {
      const Access access = entry->limits.access(wanted.model, wanted.endpoint, now);
      if (access.kind == Access::Kind::usable) {
        if (!contains(wanted.tried, entry->key->id)) return {entry, false, false, std::nullopt};
        if (again == nullptr) again = entry;
      } else if (access.kind == Access::Kind::cooling && (!ready_at || access.until < *ready_at)) {
        ready_at = access.until;
      }
    }
  }
  if (again != nullptr) return {again, true, false, std::nullopt};
  if (!ready_at || *ready_at > now + settings.max_wait) {
    // Better a key that failed a while ago than none at all; but a short wait for a good one is better still.
    if (const Pick pick = rest_ending_first(wanted, now); pick.entry != nullptr) return pick;
  }
  return {nullptr, false, false, ready_at};
}

KeyPool::Impl::Pick KeyPool::Impl::rest_ending_first(const Wanted& wanted, Instant now) const {
  Pick best;
  for (const auto& [number, level] : levels) {
    for (KeyEntry* entry : level.resting()) {
      if (entry->limits.access(wanted.model, wanted.endpoint, now).kind != Access::Kind::usable) continue;
      const Pick pick{entry, contains(wanted.tried, entry->key->id), true, std::nullopt};
      const bool better = best.entry == nullptr || (best.tried_before && !pick.tried_before) ||
                          (best.tried_before == pick.tried_before && entry->until < best.entry->until);
      if (better) best = pick;
      if (!pick.tried_before) break;  // The level's others return later.
    }
  }
  return best;
}

KeyEntry* KeyPool::Impl::entry(KeyId id) const {
  const auto it = keys.find(id);
  return it == keys.end() ? nullptr : it->second.get();
}

KeyHealth KeyPool::Impl::health(const KeyEntry& entry, bool transient) const {
  const Moment at = moment();
  KeyHealth result;
  result.state = entry.state;
  result.reason = entry.reason;
  result.since = entry.since;
  if (entry.state == KeyState::resting || entry.state == KeyState::exhausted) result.until = at.to_wall(entry.until);
  result.limits = entry.limits.list(at, transient);
  result.requests = entry.requests;
  result.failures = entry.failures;
  result.last_used = entry.last_used;
  return result;
}

void KeyPool::Impl::attach(KeyEntry& entry) {
  ++count(entry.state);
  Rotation& level = levels[entry.key->level];
  if (entry.state == KeyState::active) level.add_ready(entry);
  if (entry.state == KeyState::resting) level.add_resting(entry);
  if (entry.state == KeyState::exhausted && !entry.probing) probes.emplace(entry.until, entry.key->id);
}

void KeyPool::Impl::detach(KeyEntry& entry) {
  --count(entry.state);
  Rotation& level = levels[entry.key->level];
  if (entry.state == KeyState::active) level.remove_ready(entry);
  if (entry.state == KeyState::resting) level.remove_resting(entry);
  if (entry.state == KeyState::exhausted && !entry.probing) probes.erase({entry.until, entry.key->id});
}

void KeyPool::Impl::leave_level(int level) {
  if (--levels[level].members == 0) levels.erase(level);
}

void KeyPool::Impl::restore(KeyEntry& entry, const KeyHealth& health) {
  const Moment at = moment();
  entry.state = health.state;
  entry.reason = health.reason;
  entry.since = health.since;
  entry.until = health.until ? at.to_instant(*health.until) : at.now;
  entry.strikes = 0;
  entry.half_open = false;
  entry.probing = false;
  entry.rest = settings.rest;
  entry.probe_wait = entry.state == KeyState::exhausted ? settings.probe_interval : milliseconds::zero();
  // A rest that is over is over; a probe that fell due while we were away is due now.
  if (entry.state == KeyState::resting && entry.until <= at.now) {
    entry.state = KeyState::active;
    entry.reason.clear();
    entry.since = at.wall;
  }
  entry.limits.restore(health.limits, at);
  entry.requests = health.requests;
  entry.failures = health.failures;
  entry.last_used = health.last_used;
}

KeyPool::KeyPool(const Clock& clock, Settings settings) : impl_(std::make_unique<Impl>(clock, settings)) {}
KeyPool::~KeyPool() = default;

void KeyPool::on_change(OnChange callback) { impl_->changed = std::move(callback); }

KeyPool::Choice KeyPool::choose(const Wanted& wanted) {
  const Instant now = impl_->clock.now();
  const Impl::Pick pick = impl_->look(wanted, now);
  if (pick.entry == nullptr) return {.key = nullptr, .tried_before = false, .ready_at = pick.ready_at};
  KeyEntry& entry = *pick.entry;
  if (entry.state == KeyState::active) {
    impl_->levels.find(entry.key->level)->second.take(entry);
  } else if (entry.until <= now) {
    entry.half_open = true;
  }
  ++entry.requests;
  entry.last_used = impl_->clock.wall_now();
  return {.key = entry.key, .tried_before = pick.tried_before, .ready_at = std::nullopt};
}

bool KeyPool::untried_left(const Wanted& wanted) const {
  const Impl::Pick pick = impl_->look(wanted, impl_->clock.now());
  return pick.entry != nullptr && !pick.tried_before && !pick.last_resort;
}

void KeyPool::put(UpstreamKeyPtr key, std::optional<KeyHealth> health) {
  const KeyId id = key->id;
  const int level = key->level;
  const std::uint32_t weight = weight_of(*key);
  auto& slot = impl_->keys[id];
  std::optional<int> old_level;
  if (slot) {
    impl_->detach(*slot);
    old_level = slot->key->level;
  } else {
    slot = std::make_unique<KeyEntry>();
    slot->since = impl_->clock.wall_now();
  }
  KeyEntry& entry = *slot;
  if (old_level != level) {
    // Another level has another time; the entry begins at its present.
    ++impl_->levels[level].members;
    if (old_level) impl_->leave_level(*old_level);
    entry.turn = Turn{};
  }
  entry.turn.reweigh(weight);
  entry.key = std::move(key);
  if (health) impl_->restore(entry, *health);
  impl_->attach(entry);
}

void KeyPool::remove(KeyId id) {
  KeyEntry* entry = impl_->entry(id);
  if (entry == nullptr) return;
  impl_->detach(*entry);
  impl_->leave_level(entry->key->level);
  impl_->keys.erase(id);
}

std::optional<KeyHealth> KeyPool::health(KeyId id) const {
  const KeyEntry* entry = impl_->entry(id);
  if (entry == nullptr) return std::nullopt;
  return impl_->health(*entry, true);
}

UpstreamKeyPtr KeyPool::find(KeyId id) const {
  const KeyEntry* entry = impl_->entry(id);
  return entry == nullptr ? nullptr : entry->key;
}

std::vector<KeyId> KeyPool::ids() const {
  std::vector<KeyId> result;
  result.reserve(impl_->keys.size());
  for (const auto& [id, entry] : impl_->keys) result.push_back(id);
  std::sort(result.begin(), result.end());
  return result;
}

std::array<std::size_t, 5> KeyPool::counts() const { return impl_->counts; }
std::size_t KeyPool::size() const { return impl_->keys.size(); }

}  // namespace proxyxai
