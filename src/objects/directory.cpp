#include "proxyxai/objects/directory.hpp"

#include <algorithm>
#include <list>
#include <unordered_map>

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include "proxyxai/base/log.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {
namespace {

constexpr std::chrono::seconds save_every{60};
constexpr std::chrono::hours sweep_every{6};
constexpr std::size_t sweep_step = 1'000;
constexpr std::size_t most_homes = 50'000, most_unstored = 100'000;

std::int32_t unix_day(WallTime time) { return static_cast<std::int32_t>(to_unix_ms(time) / 86'400'000); }

}  // namespace

/// What is in memory: two maps that forget what was used least recently.
struct ObjectDirectory::Memory {
  template <class Value>
  class Recent {
   public:
    explicit Recent(std::size_t capacity) : capacity_(capacity) {}

    Value* find(std::string_view name) {
      const auto found = known_.find(name);
      if (found == known_.end()) return nullptr;
      by_use_.splice(by_use_.begin(), by_use_, found->second);
      return &found->second->second;
    }
    Value& put(std::string_view name, Value value) {
      if (Value* const there = find(name)) return *there = std::move(value);
      by_use_.emplace_front(std::string(name), std::move(value));
      known_.emplace(by_use_.front().first, by_use_.begin());
      if (by_use_.size() > capacity_) {
        known_.erase(by_use_.back().first);
        by_use_.pop_back();
      }
      return by_use_.front().second;
    }
    void erase(std::string_view name) {
      const auto found = known_.find(name);
      if (found == known_.end()) return;
      const auto entry = found->second;
      known_.erase(found);
      by_use_.erase(entry);
    }

   private:
    using Entries = std::list<std::pair<std::string, Value>>;
    const std::size_t capacity_;
    Entries by_use_;  // most recent first
    std::unordered_map<std::string_view, typename Entries::iterator> known_;  // names are those of the entries
  };
  struct Object {
    std::string owner;
    Place place;
    std::int32_t used_on = 0;
  };
  struct Home {
    KeyId key = 0;       // of what was made last
    KeyId lasting = 0;   // of what was made last and has a list
  };

  explicit Memory(std::size_t capacity) : objects(capacity), homes(most_homes) {}

  void put(const ObjectRow& row) {
    objects.put(row.id, {row.owner, {row.key, static_cast<ObjectKind>(row.kind), row.made, row.bytes, row.output, row.model}, row.used_on});
  }
  /// Nullptr: it is not here, or `asker` does not reach it.
  Object* reach(std::string_view id, std::string_view asker) {
    Object* const object = objects.find(id);
    return object != nullptr && std::string_view(object->owner).starts_with(asker) ? object : nullptr;
  }

  Recent<Object> objects;
  Recent<Home> homes;
  std::vector<std::string> used;  // today for the first time
};

ObjectDirectory::ObjectDirectory(Executor executor, ObjectStore& store, const Clock& clock, std::size_t capacity)
    : executor_(std::move(executor)), store_(store), clock_(clock), memory_(std::make_unique<Memory>(capacity)) {}
ObjectDirectory::~ObjectDirectory() = default;

Task<std::vector<ObjectDirectory::Found>> ObjectDirectory::find(std::string asker, std::vector<std::string> ids) {
  const std::int32_t today = unix_day(clock_.wall_now());
  std::vector<Found> found(ids.size());
  const auto look = [&](std::size_t i) {
    Memory::Object* const object = memory_->reach(ids[i], asker);
    if (object == nullptr) return;
    found[i].place = object->place;
    if (object->used_on >= today) return;
    object->used_on = today;
    memory_->used.push_back(ids[i]);
  };
  // What is another's is asked of the store like what nobody has.
  std::vector<std::string> unknown;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    look(i);
    if (!found[i].place) unknown.push_back(ids[i]);
  }
  if (unknown.empty()) co_return found;
  const std::vector<ObjectRow> rows = co_await store_.find_objects(std::move(unknown));
  for (const ObjectRow& row : rows) {
    if (row.owner.starts_with(asker)) memory_->put(row);
  }
  std::unordered_map<std::string_view, KeyId> stored;
  for (const ObjectRow& row : rows) stored.emplace(row.id, row.key);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (found[i].place) continue;
    look(i);
    if (found[i].place) continue;
    const auto row = stored.find(ids[i]);
    const Memory::Object* const object = memory_->objects.find(ids[i]);
    found[i].is_anothers = row != stored.end() || object != nullptr;
    if (found[i].is_anothers) found[i].holder = row != stored.end() ? row->second : object->place.key;
  }
  co_return found;
}

/// The rows of those that are not known in memory.
std::vector<ObjectRow> ObjectDirectory::rows_of(const std::string& owner, KeyId key, std::vector<Made> made) {
  std::vector<ObjectRow> rows;
  const WallTime now = clock_.wall_now();
  for (Made& each : made) {
    if (memory_->objects.find(each.id) != nullptr) continue;
    last_made_ = std::max(last_made_ + 1, to_unix_ms(now) * 1'000);
    ObjectRow row{std::move(each.id), static_cast<std::uint8_t>(each.kind), owner, key, last_made_, unix_day(now), each.bytes, each.output, std::move(each.model)};
    if (each.kind != ObjectKind::item) {
      Memory::Home* const known = memory_->homes.find(owner);
      Memory::Home home = known == nullptr ? Memory::Home{} : *known;
      home.key = key;
      if (binds(each.kind)) home.lasting = key;
      memory_->homes.put(owner, home);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Task<bool> ObjectDirectory::store(std::vector<ObjectRow> rows) {
  if (rows.empty()) co_return true;
  try {
    std::vector<ObjectRow> copy = rows;
    const std::vector<ObjectRow> stored = co_await store_.put_objects(std::move(copy));
    // As they are stored: somebody may have made one before.
    for (const ObjectRow& row : stored) memory_->put(row);
    co_return true;
  } catch (const StorageError& error) {
    spdlog::error("{} new objects of upstream's could not be stored yet: {}", rows.size(), error.what());
  }
  // They are known once that is possible again.
  if (unstored_.size() < most_unstored) unstored_.insert(unstored_.end(), rows.begin(), rows.end());
  co_return false;
}

void ObjectDirectory::note(const std::string& owner, KeyId key, std::vector<Made> made) {
  std::vector<ObjectRow> rows = rows_of(owner, key, std::move(made));
  if (rows.empty()) return;
  boost::asio::co_spawn(executor_, store(std::move(rows)), [](std::exception_ptr failure, bool) { log_failure("storing new objects of upstream's", failure); });
}

Task<bool> ObjectDirectory::put(std::string owner, KeyId key, std::vector<Made> made) {
  std::vector<ObjectRow> rows = rows_of(owner, key, std::move(made));
  const bool stored = co_await store(std::move(rows));
  co_return stored;
}

void ObjectDirectory::forget(std::string_view id) {
  memory_->objects.erase(id);
  std::erase_if(unstored_, [id](const ObjectRow& each) { return each.id == id; });
  std::vector<std::string> ids{std::string(id)};
  boost::asio::co_spawn(executor_, store_.forget_objects(std::move(ids)), [](std::exception_ptr failure, bool) {
    // Upstream knows it no more: whoever asks is told so by upstream, and it is forgotten then.
    if (failure) spdlog::warn("an object that was deleted could not be forgotten yet");
  });
}

Task<void> ObjectDirectory::load_home(std::string owner) {
  if (memory_->homes.find(owner) != nullptr) co_return;
  const KeyId key = co_await store_.newest_key(owner);
  if (memory_->homes.find(owner) == nullptr) memory_->homes.put(owner, {key, key});
}

KeyId ObjectDirectory::home(std::string_view owner, bool lasting) {
  const Memory::Home* const known = memory_->homes.find(owner);
  if (known == nullptr) return 0;
  return lasting || known->lasting != 0 ? known->lasting : known->key;
}

void ObjectDirectory::begin_home(const std::string& owner, KeyId key) {
  Memory::Home* const known = memory_->homes.find(owner);
  if (known == nullptr) memory_->homes.put(owner, {key, key});
  else if (known->lasting == 0) known->lasting = key;
}

void ObjectDirectory::tick(Instant now) {
  if (now >= next_save_ && !saving_ && (!memory_->used.empty() || !unstored_.empty())) {
    next_save_ = now + (unstored_.empty() ? save_every : std::chrono::seconds(1));
    spawn(save(), "storing what is known of upstream's objects");
  }
  if (now >= next_sweep_ && !sweeping_) {
    next_sweep_ = now + sweep_every;
    spawn(sweep(), "forgetting old objects of upstream's");
  }
}

Task<void> ObjectDirectory::save() {
  saving_ = true;
  std::vector<ObjectRow> rows = std::exchange(unstored_, {});
  co_await store(std::move(rows));
  std::vector<std::string> used = std::exchange(memory_->used, {});
  try {
    if (!used.empty()) co_await store_.mark_used(std::move(used), unix_day(clock_.wall_now()));
  } catch (const StorageError&) {
    // They are older than they should be by a day.
  }
  saving_ = false;
}

Task<void> ObjectDirectory::sweep() {
  sweeping_ = true;
  const std::int32_t today = unix_day(clock_.wall_now());
  std::vector<std::int32_t> oldest(object_kinds, 0);
  for (std::size_t i = 0; i < oldest.size(); ++i) oldest[i] = today - facts_of(static_cast<ObjectKind>(i)).days;
  std::size_t deleted = 0;
  try {
    for (std::string after;;) {
      const ObjectStore::Swept swept = co_await store_.sweep_objects(after, sweep_step, oldest);
      deleted += swept.deleted;
      if (swept.last.empty()) break;
      after = swept.last;
    }
  } catch (const StorageError& error) {
    spdlog::warn("old objects of upstream's could not be forgotten: {}", error.what());
  }
  if (deleted > 0) spdlog::info("forgot {} objects of upstream's that had not been used for long", deleted);
  sweeping_ = false;
}

void ObjectDirectory::spawn(Task<void> task, const char* what) {
  boost::asio::co_spawn(executor_, std::move(task), [what](std::exception_ptr failure) { log_failure(what, failure); });
}

}  // namespace proxyxai
