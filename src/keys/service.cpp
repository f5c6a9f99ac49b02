#include "proxyxai/keys/service.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include "proxyxai/base/error.hpp"
#include "proxyxai/base/log.hpp"

namespace proxyxai {
namespace {

constexpr milliseconds save_every{1'000};
constexpr milliseconds save_counters_every{60'000};
constexpr milliseconds sweep_every{3'600'000};
constexpr std::chrono::hours dead_for{7 * 24};

}  // namespace

KeyRow make_row(NewKey key, const Sealer& sealer, WallTime now) {
  KeyRow row;
  row.fingerprint = sha256(key.secret.reveal());
  row.partial = key.secret.tail(4);
  row.sealed = sealer.seal(key.secret, row.fingerprint);
  row.name = std::move(key.name);
  row.provider = std::move(key.provider);
  row.level = key.level;
  row.weight = key.weight;
  row.quota = key.quota;
  row.enabled = key.enabled;
  row.created_at = now;
  return row;
}

KeyService::KeyService(Executor executor, KeyStore& store, KeyPool& pool, const Sealer& sealer, Prober& prober,
                       const Clock& clock, Settings settings)
    : executor_(std::move(executor)),
      store_(store),
      pool_(pool),
      sealer_(sealer),
      prober_(prober),
      clock_(clock),
      settings_(std::move(settings)) {
  pool_.on_change([this](KeyId id, const KeyHealth& health) {
    changed_.insert(id);
    const auto row = rows_.find(id);
    const std::string_view partial = row == rows_.end() ? std::string_view() : std::string_view(row->second.partial);
    spdlog::info("upstream key {} (...{}) is now {}{}{}", id, partial, to_string(health.state),
                 health.reason.empty() ? "" : ": ", health.reason);
  });
}

std::string KeyService::provider_of(const KeyRow& row) const {
  return row.provider.empty() ? settings_.default_provider : row.provider;
}

UpstreamKeyPtr KeyService::open(const KeyRow& row) const {
  auto secret = sealer_.unseal(row.sealed, row.fingerprint);
  if (!secret) {
    throw Failure("upstream key " + std::to_string(row.id) + " (..." + row.partial +
                  ") does not open with this master key; start with the MASTER_KEY or the master.key file it was stored "
                  "under, or delete the key and add it again");
  }
  auto key = std::make_shared<UpstreamKey>();
  key->id = row.id;
  key->authorization.append("Bearer ").append(secret->reveal());
  key->secret = std::move(*secret);
  key->provider = provider_of(row);
  key->name = row.name;
  key->level = row.level;
  key->weight = row.weight;
  key->quota = row.quota;
  return key;
}

void KeyService::put(const KeyRow& row, bool keep_health) {
  std::optional<KeyHealth> health;
  if (!keep_health) {
    health = health_from_json(row.health);
    if (!row.enabled) health->state = KeyState::disabled;
    earlier_[row.id] = {health->requests, health->failures};
  }
  pool_.put(open(row), std::move(health));
  KeyRow& kept = rows_[row.id] = row;
  kept.sealed.clear();
}

void KeyService::drop(KeyId id) {
  pool_.remove(id);
  rows_.erase(id);
  changed_.erase(id);
  earlier_.erase(id);
}

Task<void> KeyService::load(std::vector<NewKey> initial) {
  std::vector<KeyRow> stored = co_await store_.load_keys();
  for (const KeyRow& row : stored) put(row, false);
  const Instant now = clock_.now();
  next_save_ = now + save_every;
  next_counters_ = now + save_counters_every;
  next_reload_ = now + settings_.reload_interval;
  next_sweep_ = now;
  if (!stored.empty() || initial.empty()) co_return;
  const Added added = co_await add(std::move(initial), false);
  spdlog::info("stored {} upstream keys from INIT_KEYS", added.added);
}

Task<void> KeyService::reload() {
  std::vector<KeyRow> stored = co_await store_.load_keys();
  std::unordered_set<KeyId> seen;
  for (const KeyRow& row : stored) {
    seen.insert(row.id);
    const auto known = rows_.find(row.id);
    put(row, known != rows_.end());
    const auto health = pool_.health(row.id);
    const bool is_enabled = !health || health->state != KeyState::disabled;
    // Health that waits to be saved is newer than the row.
    if (is_enabled != row.enabled && !changed_.contains(row.id)) pool_.set_enabled(row.id, row.enabled, "set_by_operator");
  }
  std::vector<KeyId> gone;
  for (const auto& [id, row] : rows_) {
    if (!seen.contains(id)) gone.push_back(id);
  }
  for (const KeyId id : gone) drop(id);
  pool_.lift_exclusions();
  spdlog::info("read {} upstream keys from the database", stored.size());
}

namespace {

/// Upstream has said nothing about the key.
bool is_unverified(Fault fault) {
  return fault == Fault::upstream || fault == Fault::overloaded || fault == Fault::stale_connection || fault == Fault::ours;
}

}  // namespace

Task<KeyService::Added> KeyService::add(std::vector<NewKey> keys, bool verify) {
  Added result;
  std::vector<KeyRow> rows;
  for (NewKey& each : keys) {
    KeyRow row = make_row(std::move(each), sealer_, clock_.wall_now());
    if (verify) {
      const Attempt verdict = co_await prober_.probe(open(row), false);
      const bool was_asked = !is_unverified(verdict.fault);
      if (verdict.fault == Fault::dead || !was_asked) {
        result.rejected.push_back({row.partial, verdict.reason, was_asked});
        continue;
      }
    }
    rows.push_back(std::move(row));
  }
  if (rows.empty()) co_return result;
  KeyStore::Added stored = co_await store_.add_keys(std::move(rows));
  for (std::size_t i = 0; i < stored.rows.size(); ++i) {
    const KeyRow& row = stored.rows[i];
    stored.is_new[i] ? ++result.added : ++result.existing;
    if (stored.is_new[i] || !rows_.contains(row.id)) put(row, false);
    result.keys.push_back(view_of(rows_.at(row.id)));
  }
  co_return result;
}

Task<std::optional<KeyView>> KeyService::update(KeyId id, KeyChange change) {
  const auto found = rows_.find(id);
  if (found == rows_.end()) co_return std::nullopt;
  KeyRow row = found->second;
  if (change.name) row.name = std::move(*change.name);
  if (change.provider) row.provider = std::move(*change.provider);
  if (change.level) row.level = *change.level;
  if (change.weight) row.weight = *change.weight;
  if (change.rpm) row.quota.rpm = *change.rpm;
  if (change.tpm) row.quota.tpm = *change.tpm;
  if (change.concurrency) row.quota.concurrency = *change.concurrency;
  if (change.enabled) row.enabled = *change.enabled;
  const bool stored = co_await store_.update_key(row);
  if (!stored) co_return std::nullopt;
  const UpstreamKeyPtr before = pool_.find(id);
  if (before) {
    auto after = std::make_shared<UpstreamKey>();
    after->id = id;
    after->secret = before->secret;
    after->authorization = before->authorization;
    after->provider = provider_of(row);
    after->name = row.name;
    after->level = row.level;
    after->weight = row.weight;
    after->quota = row.quota;
    pool_.put(std::move(after), std::nullopt);
  }
  if (change.enabled) pool_.set_enabled(id, *change.enabled, "set_by_operator");
  rows_[id] = std::move(row);
  co_return find(id);
}

Task<std::optional<KeyView>> KeyService::remove(KeyId id) {
  const auto last = find(id);
  if (!last) co_return std::nullopt;
  const bool deleted = co_await store_.delete_key(id);
  if (!deleted) co_return std::nullopt;
  drop(id);
  co_return last;
}

Task<std::optional<KeyView>> KeyService::probe(KeyId id) {
  UpstreamKeyPtr key = pool_.find(id);
  if (!key) co_return std::nullopt;
  const auto health = pool_.health(id);
  const bool spend = health && health->state == KeyState::exhausted;
  const Attempt verdict = co_await prober_.probe(key, spend);
  pool_.report_probe(verdict);
  std::vector<KeyId> ids{id};
  co_await save(std::move(ids));
  co_return find(id);
}

KeyView KeyService::view_of(const KeyRow& row) const {
  KeyView view;
  view.id = row.id;
  view.name = row.name;
  view.provider = provider_of(row);
  view.partial = row.partial;
  view.level = row.level;
  view.weight = row.weight;
  view.quota = row.quota;
  view.created_at = row.created_at;
  view.health = pool_.health(row.id).value_or(KeyHealth{});
  if (const auto earlier = earlier_.find(row.id); earlier != earlier_.end()) {
    view.requests_here = view.health.requests - std::min(view.health.requests, earlier->second.requests);
    view.failures_here = view.health.failures - std::min(view.health.failures, earlier->second.failures);
  }
  return view;
}

std::vector<KeyView> KeyService::list() const {
  std::vector<KeyView> views;
  views.reserve(rows_.size());
  for (const auto& [id, row] : rows_) views.push_back(view_of(row));
  return views;
}

std::optional<KeyView> KeyService::find(KeyId id) const {
  const auto found = rows_.find(id);
  if (found == rows_.end()) return std::nullopt;
  return view_of(found->second);
}

void KeyService::spawn(Task<void> task, const char* what) {
  boost::asio::co_spawn(executor_, std::move(task), [what](std::exception_ptr failure) { log_failure(what, failure); });
}

void KeyService::tick(Instant now) {
  for (UpstreamKeyPtr& key : pool_.due_probes()) spawn(probe_in_background(std::move(key)), "probing an upstream key");
  if (now >= next_save_ && !saving_ && !changed_.empty()) {
    next_save_ = now + save_every;
    spawn(save({changed_.begin(), changed_.end()}), "saving the health of upstream keys");
  }
  if (now >= next_counters_) {
    next_counters_ = now + save_counters_every;
    for (const auto& [id, row] : rows_) {
      const auto health = pool_.health(id);
      if (health && health->last_used && clock_.wall_now() - *health->last_used < 2 * save_counters_every) changed_.insert(id);
    }
  }
  if (now >= next_reload_) {
    next_reload_ = now + settings_.reload_interval;
    spawn(reload(), "reading the upstream keys");
  }
  if (now >= next_sweep_) {
    next_sweep_ = now + sweep_every;
    spawn(sweep(), "removing dead upstream keys");
  }
}

Task<void> KeyService::probe_in_background(UpstreamKeyPtr key) {
  const Attempt verdict = co_await prober_.probe(key, true);
  pool_.report_probe(verdict);
}

Task<void> KeyService::save(std::vector<KeyId> ids) {
  saving_ = true;
  std::vector<KeyStore::HealthUpdate> updates;
  for (const KeyId id : ids) {
    changed_.erase(id);
    const auto health = pool_.health(id);
    const auto row = rows_.find(id);
    if (!health || row == rows_.end()) continue;
    row->second.enabled = health->state != KeyState::disabled;
    KeyStore::HealthUpdate update{id, to_json(*health), row->second.enabled, std::nullopt};
    if (health->state == KeyState::dead) update.died_at = health->since;
    updates.push_back(std::move(update));
  }
  try {
    co_await store_.save_health(std::move(updates));
  } catch (...) {
    // What could not be saved is still to be saved.
    changed_.insert(ids.begin(), ids.end());
    saving_ = false;
    throw;
  }
  saving_ = false;
}

Task<void> KeyService::save_all() {
  std::vector<KeyId> ids;
  ids.reserve(rows_.size());
  for (const auto& [id, row] : rows_) ids.push_back(id);
  co_await save(std::move(ids));
}

Task<void> KeyService::sweep() {
  const WallTime before = clock_.wall_now() - std::chrono::duration_cast<milliseconds>(dead_for);
  const std::size_t swept = co_await store_.sweep_dead(before);
  std::vector<KeyId> gone;
  for (const auto& [id, row] : rows_) {
    const auto health = pool_.health(id);
    if (health && health->state == KeyState::dead && health->since < before) gone.push_back(id);
  }
  for (const KeyId id : gone) drop(id);
  if (swept > 0) spdlog::info("removed {} upstream keys that had been dead for a week", swept);
}

}  // namespace proxyxai
