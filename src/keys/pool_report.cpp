#include "pool_impl.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

constexpr milliseconds longest_rest{std::chrono::minutes{10}};
constexpr milliseconds longest_probe_wait{std::chrono::hours{6}};
constexpr milliseconds longest_pass_over{seconds{60}};

/// Counted against the key in listings: faults of the key or of upstream, not those that are nobody's.
bool is_failure(Fault fault) {
  switch (fault) {
    case Fault::upstream:
    case Fault::rate_limited:
    case Fault::exhausted:
    case Fault::no_access:
    case Fault::dead:
    case Fault::suspended: return true;
    default: return false;
  }
}

/// The upstream's reason, or the fault itself when it gave none.
std::string_view reason_of(const Attempt& attempt) {
  return attempt.reason.empty() ? std::string_view(to_string(attempt.fault)) : std::string_view(attempt.reason);
}

}  // namespace

bool KeyPool::Impl::move(KeyEntry& entry, KeyState state, std::string_view reason, Instant until) {
  detach(entry);
  if (entry.state != state) entry.since = clock.wall_now();
  entry.state = state;
  entry.reason = reason;
  entry.until = until;
  entry.half_open = false;
  entry.probing = false;
  if (state == KeyState::active) entry.strikes = 0;
  attach(entry);
  return true;
}

bool KeyPool::Impl::alive(KeyEntry& entry) {
  entry.strikes = 0;
  return entry.state == KeyState::resting && move(entry, KeyState::active, {});
}

void KeyPool::Impl::note_success(const KeyEntry& entry) {
  last_success = events;
  last_success_of = entry.key->id;
}

bool KeyPool::Impl::strike(KeyEntry& entry, std::string_view reason, bool half_open) {
  if (entry.state == KeyState::resting) {
    // Requests that were under way when the rest began add nothing to it.
    if (!half_open) return false;
    entry.rest = std::min(entry.rest * 2, std::max(longest_rest, settings.rest));
    return move(entry, KeyState::resting, reason, clock.now() + entry.rest);
  }
  if (entry.state != KeyState::active) return false;
  if (entry.strikes++ == 0) entry.first_strike = events;
  // The key's own success would have cleared its strikes, so a later success is another key's. Without one the fault
  // may well be upstream's own, and the last active key is never sent to rest.
  const bool others_succeed = last_success > entry.first_strike && count(KeyState::active) > 1;
  if (entry.strikes < settings.strikes || !others_succeed) return false;
  entry.rest = settings.rest;
  return move(entry, KeyState::resting, reason, clock.now() + entry.rest);
}

bool KeyPool::Impl::exhaust(KeyEntry& entry, std::string_view reason) {
  // Only the first of the requests under way tells something new.
  if (entry.state != KeyState::active && entry.state != KeyState::resting) return false;
  // Healed by a probe, yet refused before any success: the probe was too kind, so the wait goes on growing.
  const bool again = entry.probe_wait > milliseconds::zero();
  entry.probe_wait = again ? std::min(entry.probe_wait * 2, std::max(longest_probe_wait, settings.probe_interval))
                           : settings.probe_interval;
  return move(entry, KeyState::exhausted, reason, clock.now() + entry.probe_wait);
}

bool KeyPool::Impl::die(KeyEntry& entry, std::string_view reason) {
  return entry.state != KeyState::dead && move(entry, KeyState::dead, reason);
}

bool KeyPool::Impl::suspend(KeyEntry& entry, std::string_view reason) {
  if (entry.state == KeyState::dead || entry.state == KeyState::disabled) return false;
  return move(entry, KeyState::disabled, reason);
}

bool KeyPool::Impl::postpone_probe(KeyEntry& entry, bool doubled) {
  if (doubled) entry.probe_wait = std::min(entry.probe_wait * 2, std::max(longest_probe_wait, settings.probe_interval));
  return move(entry, KeyState::exhausted, std::string(entry.reason), clock.now() + entry.probe_wait);
}

bool KeyPool::Impl::apply(KeyEntry& entry, const Attempt& attempt, std::string_view model, std::string_view endpoint) {
  // Whatever the end was, the place of the half-open request is free again.
  const bool half_open = std::exchange(entry.half_open, false);
  switch (attempt.fault) {
    case Fault::none:
      // Such a key begins well, and so shows nothing yet.
      if (entry.cuts > 0 && entry.state == KeyState::active) return false;
      note_success(entry);
      if (entry.state == KeyState::active) entry.probe_wait = milliseconds::zero();
      entry.limits.succeeded(model, clock.now());
      return alive(entry);

    // An answer about the request shows that key and upstream work.
    case Fault::caller:
    case Fault::unknown_model: return alive(entry);

    case Fault::rate_limited: {
      const bool healed = alive(entry);
      const bool cools = entry.limits.cool(model, {attempt.retry_after, settings.default_cooling}, reason_of(attempt),
                                           moment());
      return healed || cools;
    }
    case Fault::no_access: {
      const bool healed = alive(entry);
      const std::string_view subject = attempt.scope == Scope::model ? model : endpoint;
      const bool excluded = entry.limits.exclude(attempt.scope, subject, reason_of(attempt), moment());
      return healed || excluded;
    }
    case Fault::upstream: return strike(entry, reason_of(attempt), half_open);
    case Fault::exhausted: return exhaust(entry, reason_of(attempt));
    case Fault::dead: return die(entry, reason_of(attempt));
    case Fault::suspended: return suspend(entry, reason_of(attempt));

    case Fault::overloaded:
    case Fault::stale_connection:
    case Fault::egress:
    case Fault::client_gone:
    case Fault::ours: return false;
  }
  return false;
}

void KeyPool::Impl::notify(const KeyEntry& entry) const {
  if (changed) changed(entry.key->id, health(entry, false));
}

void KeyPool::report_body(KeyId key, bool is_whole) {
  KeyEntry* const entry = impl_->entry(key);
  if (entry == nullptr || (is_whole && entry->cuts == 0)) return;
  ++impl_->events;
  if (is_whole) {
    entry->cuts = entry->strikes = 0;
    impl_->note_success(*entry);
    return;
  }
  // It began well, and that was no success of anybody's.
  if (impl_->last_success_of == key) impl_->last_success = 0;
  ++entry->cuts;
  ++entry->failures;
  if (impl_->strike(*entry, "truncated", false)) impl_->notify(*entry);
}

void KeyPool::report(const Attempt& attempt, std::string_view model, std::string_view endpoint) {
  ++impl_->events;
  KeyEntry* entry = impl_->entry(attempt.key);
  if (entry == nullptr) return;
  if (is_failure(attempt.fault)) ++entry->failures;
  if (impl_->apply(*entry, attempt, model, endpoint)) impl_->notify(*entry);
}

void KeyPool::note_zero_remaining(KeyId key, std::string_view model, milliseconds reset) {
  KeyEntry* entry = impl_->entry(key);
  if (entry == nullptr) return;
  const Moment moment = impl_->moment();
  entry->limits.pass_over(model, moment.now + std::min(reset, longest_pass_over), moment);
}

void KeyPool::report_probe(const Attempt& attempt) {
  KeyEntry* entry = impl_->entry(attempt.key);
  if (entry == nullptr) return;
  Impl& impl = *impl_;
  const bool exhausted = entry->state == KeyState::exhausted;
  bool changed = false;
  switch (attempt.fault) {
    case Fault::none:
      changed = exhausted ? impl.move(*entry, KeyState::active, {}) : impl.alive(*entry);
      break;
    case Fault::dead: changed = impl.die(*entry, reason_of(attempt)); break;
    case Fault::suspended: changed = impl.suspend(*entry, reason_of(attempt)); break;
    case Fault::exhausted:
      // A probe that somebody asked for in between leaves the schedule as it is.
      changed = exhausted ? entry->probing && impl.postpone_probe(*entry, true)
                          : impl.exhaust(*entry, reason_of(attempt));
      break;
    default:
      // Told us nothing about money: ask again after the same wait.
      changed = exhausted && entry->probing && impl.postpone_probe(*entry, false);
      break;
  }
  if (changed) impl.notify(*entry);
}

void KeyPool::set_enabled(KeyId id, bool enabled, std::string_view reason) {
  KeyEntry* entry = impl_->entry(id);
  if (entry == nullptr || entry->state == KeyState::dead) return;  // Nobody revives a dead key by hand.
  const bool disabled = entry->state == KeyState::disabled;
  if (enabled ? !disabled : disabled && entry->reason == reason) return;
  impl_->move(*entry, enabled ? KeyState::active : KeyState::disabled, enabled ? std::string_view{} : reason);
  impl_->notify(*entry);
}

void KeyPool::lift_exclusions() {
  std::vector<KeyId> lifted;
  for (const auto& [id, entry] : impl_->keys) {
    if (entry->limits.lift_exclusions()) lifted.push_back(id);
  }
  for (const KeyId id : lifted) {
    if (const KeyEntry* entry = impl_->entry(id)) impl_->notify(*entry);
  }
}

std::vector<UpstreamKeyPtr> KeyPool::due_probes() {
  std::vector<UpstreamKeyPtr> due;
  const Instant now = impl_->clock.now();
  while (!impl_->probes.empty() && impl_->probes.begin()->first <= now) {
    KeyEntry& entry = *impl_->entry(impl_->probes.begin()->second);
    impl_->probes.erase(impl_->probes.begin());
    entry.probing = true;
    due.push_back(entry.key);
  }
  return due;
}

}  // namespace proxyxai
