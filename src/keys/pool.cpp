#include "proxyxai/keys/pool.hpp"

#include "pool_impl.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

std::uint32_t weight_of(const UpstreamKey& key) { return std::clamp(key.weight, 1U, 1000U); }

}  // namespace

KeyPool::Impl::~Impl() {
  // Leases may outlive the levels that they count in.
  for (const auto& [id, entry] : keys) entry->load->leave();
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
  if (entry.state == KeyState::active && settings.routing == Routing::cache_aware) level.ring.add(entry);
  if (entry.state == KeyState::resting) level.add_resting(entry);
  if (entry.state == KeyState::exhausted && !entry.probing) probes.emplace(entry.until, entry.key->id);
}

void KeyPool::Impl::detach(KeyEntry& entry) {
  --count(entry.state);
  Rotation& level = levels[entry.key->level];
  if (entry.state == KeyState::active) level.remove_ready(entry);
  if (entry.state == KeyState::active && settings.routing == Routing::cache_aware) level.ring.remove(entry);
  if (entry.state == KeyState::resting) level.remove_resting(entry);
  if (entry.state == KeyState::exhausted && !entry.probing) probes.erase({entry.until, entry.key->id});
}

void KeyPool::Impl::enter_level(KeyEntry& entry, int level) {
  Rotation& entered = levels[level];
  ++entered.members;
  entry.load->join(entered.in_flight);
}

void KeyPool::Impl::leave_level(KeyEntry& entry) {
  entry.load->leave();
  const auto left = levels.find(entry.key->level);
  if (--left->second.members == 0) levels.erase(left);
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
    slot = std::make_unique<KeyEntry>(impl_->clock);
    slot->since = impl_->clock.wall_now();
  }
  KeyEntry& entry = *slot;
  if (old_level != level) {
    // Another level has another time; the entry begins at its present.
    if (old_level) impl_->leave_level(entry);
    impl_->enter_level(entry, level);
    entry.turn = Turn{};
  }
  entry.turn.reweigh(weight);
  entry.load->limit_to(key->quota);
  entry.has_quota = entry.load->is_limited();
  entry.key = std::move(key);
  if (health) impl_->restore(entry, *health);
  impl_->attach(entry);
}

void KeyPool::remove(KeyId id) {
  KeyEntry* entry = impl_->entry(id);
  if (entry == nullptr) return;
  impl_->detach(*entry);
  impl_->leave_level(*entry);
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
