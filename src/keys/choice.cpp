#include "proxyxai/keys/pool.hpp"

#include "pool_impl.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

bool contains(std::span<const KeyId> ids, KeyId id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

/// Usable at once, and by this request for the first time.
bool is_new(const KeyEntry& entry, const KeyPool::Wanted& wanted, Instant now) {
  return entry.access(wanted, now).kind == Access::Kind::usable && !contains(wanted.tried, entry.key->id);
}

/// Its rest is over, and nobody tries it out yet.
bool is_rested(const KeyEntry& entry, Instant now) {
  return entry.state == KeyState::resting && entry.until <= now && !entry.half_open;
}

}  // namespace

KeyPool::Impl::Pick KeyPool::Impl::look(const Wanted& wanted, Instant now) const {
  if (wanted.only) return look_at_only(wanted, now);
  if (KeyEntry* const entry = preferred(wanted, now)) return {.entry = entry, .out_of_turn = true};
  KeyEntry* again = nullptr;
  std::optional<Instant> ready_at;
  for (const auto& [number, level] : levels) {
    // A rested key first: it is healed by being used, and one request at a time is all that it gets.
    for (KeyEntry* entry : level.resting()) {
      if (entry->until > now) break;
      if (!entry->half_open && is_new(*entry, wanted, now)) return {.entry = entry};
    }
    if (KeyEntry* const entry = home_of_prompt(wanted, level, now)) return {.entry = entry, .out_of_turn = true};
    for (KeyEntry* entry : level.ready()) {
      const Access access = entry->access(wanted, now);
      if (access.kind == Access::Kind::usable) {
        if (!contains(wanted.tried, entry->key->id)) return {.entry = entry};
        if (again == nullptr) again = entry;
      } else if (access.kind == Access::Kind::cooling && (!ready_at || access.until < *ready_at)) {
        ready_at = access.until;
      }
    }
  }
  if (again != nullptr) return {.entry = again, .tried_before = true};
  if (!ready_at || *ready_at > now + settings.max_wait) {
    // Better a key that failed a while ago than none at all; but a short wait for a good one is better still.
    if (const Pick pick = rest_ending_first(wanted, now); pick.entry != nullptr) return pick;
  }
  return {.ready_at = ready_at};
}

KeyPool::Impl::Pick KeyPool::Impl::look_at_only(const Wanted& wanted, Instant now) const {
  KeyEntry* const only = entry(*wanted.only);
  if (only == nullptr || only->state == KeyState::dead) return {.absence = Absence::gone};
  if (only->state == KeyState::disabled) return {.absence = Absence::disabled};
  // Nothing else can serve the request, so it is for upstream to refuse it; calls that cost nothing pass without money.
  const Access access = only->access(wanted, now);
  if (access.kind == Access::Kind::cooling) return {.ready_at = access.until};
  if (access.kind == Access::Kind::excluded) return {};
  return {.entry = only, .tried_before = contains(wanted.tried, *wanted.only), .out_of_turn = true};
}

KeyEntry* KeyPool::Impl::preferred(const Wanted& wanted, Instant now) const {
  KeyEntry* const found = wanted.preferred ? entry(*wanted.preferred) : nullptr;
  if (found == nullptr || (found->state != KeyState::active && !is_rested(*found, now))) return nullptr;
  return is_new(*found, wanted, now) ? found : nullptr;
}

/// The key of the level that upstream's cache of the prompt belongs to, unless it is busier than others by much.
KeyEntry* KeyPool::Impl::home_of_prompt(const Wanted& wanted, const Rotation& level, Instant now) const {
  if (wanted.prompt == 0 || settings.routing != Routing::cache_aware) return nullptr;
  KeyEntry* const home = level.ring.find(wanted.prompt, [&](const KeyEntry& each) { return is_new(each, wanted, now); });
  return home != nullptr && level.has_room(*home) ? home : nullptr;
}

KeyPool::Impl::Pick KeyPool::Impl::rest_ending_first(const Wanted& wanted, Instant now) const {
  Pick best;
  for (const auto& [number, level] : levels) {
    for (KeyEntry* entry : level.resting()) {
      if (entry->access(wanted, now).kind != Access::Kind::usable) continue;
      const Pick pick{.entry = entry, .tried_before = contains(wanted.tried, entry->key->id), .last_resort = true};
      const bool better = best.entry == nullptr || (best.tried_before && !pick.tried_before) ||
                          (best.tried_before == pick.tried_before && entry->until < best.entry->until);
      if (better) best = pick;
      if (!pick.tried_before) break;  // The level's others return later.
    }
  }
  return best;
}

KeyPool::Choice KeyPool::choose(const Wanted& wanted) {
  const Instant now = impl_->clock.now();
  const Impl::Pick pick = impl_->look(wanted, now);
  Choice choice;
  choice.tried_before = pick.tried_before;
  choice.ready_at = pick.ready_at;
  choice.absence = pick.absence;
  if (pick.absence != Absence::none) {
    if (const KeyEntry* const absent = impl_->entry(*wanted.only)) choice.reason = absent->reason;
  }
  if (pick.entry == nullptr) return choice;
  KeyEntry& entry = *pick.entry;
  if (entry.state == KeyState::active) {
    Rotation& level = impl_->levels.find(entry.key->level)->second;
    pick.out_of_turn ? level.take_out_of_turn(entry) : level.take(entry);
  } else if (entry.state == KeyState::resting && entry.until <= now) {
    entry.half_open = true;
  }
  ++entry.requests;
  entry.last_used = impl_->clock.wall_now();
  choice.lease = KeyLease(entry.key, entry.load, wanted.tokens, now);
  return choice;
}

bool KeyPool::untried_left(const Wanted& wanted) const {
  if (wanted.only) return false;
  const Impl::Pick pick = impl_->look(wanted, impl_->clock.now());
  return pick.entry != nullptr && !pick.tried_before && !pick.last_resort;
}

}  // namespace proxyxai
