#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/base/attempt.hpp"
#include "proxyxai/base/clock.hpp"
#include "proxyxai/objects/kinds.hpp"
#include "proxyxai/storage/object_store.hpp"

namespace proxyxai {

/// Who made which object of upstream's, and under which key it lives: a bounded number of recently used ones in memory in front of
/// the store. Accounts are told by their `dna`: one reaches what it and its descendants made. Loop thread only.
class ObjectDirectory {
 public:
  /// `capacity`: how many objects are kept in memory; the least recently used goes first.
  ObjectDirectory(Executor executor, ObjectStore& store, const Clock& clock, std::size_t capacity = 100'000);
  ~ObjectDirectory();
  ObjectDirectory(const ObjectDirectory&) = delete;
  ObjectDirectory& operator=(const ObjectDirectory&) = delete;

  struct Place {
    KeyId key = 0;
    ObjectKind kind = ObjectKind::other;
    std::int64_t made = 0;   ///< See ObjectRow.
    std::int64_t bytes = 0, output = 0;  ///< Of a batch's file, see ObjectRow.
    std::string model;
  };
  struct Found {
    std::optional<Place> place;  ///< Nullopt: the asker reaches no such object.
    bool is_anothers = false;    ///< There is one,
    KeyId holder = 0;            ///< under this key.
  };
  /// Where each of `ids` is, in order. It takes as long to say that `asker` does not reach another's object as that one does not
  /// exist. Throws StorageError.
  Task<std::vector<Found>> find(std::string asker, std::vector<std::string> ids);

  struct Made {
    std::string id;
    ObjectKind kind = ObjectKind::other;
    std::int64_t bytes = 0, output = 0;
    std::string model;
  };
  /// `owner` has made these under `key`: stored, and known, in a moment. What is known already stays whose it is.
  void note(const std::string& owner, KeyId key, std::vector<Made> made);
  /// The same; true once it is stored.
  Task<bool> put(std::string owner, KeyId key, std::vector<Made> made);
  void forget(std::string_view id);

  /// The key under which the account has made things last, so that what it makes next can be used together with them; 0: none.
  /// Files, vector stores and the like come before responses and threads; `lasting`: only the former count.
  [[nodiscard]] KeyId home(std::string_view owner, bool lasting);
  /// Makes sure that `home` knows.
  Task<void> load_home(std::string owner);
  /// The account is about to make something that lasts under `key`: its home, if it has none. So what it makes meanwhile goes there too.
  void begin_home(const std::string& owner, KeyId key);

  /// One page, from the store.
  Task<std::vector<ObjectRow>> list(ObjectQuery query) { return store_.list_objects(std::move(query)); }

  /// Does what is due: stores what could not be stored, what was used, and forgets what is old. Once a second; returns at once.
  void tick(Instant now);

 private:
  struct Memory;
  std::vector<ObjectRow> rows_of(const std::string& owner, KeyId key, std::vector<Made> made);
  Task<bool> store(std::vector<ObjectRow> rows);
  Task<void> save();
  Task<void> sweep();
  void spawn(Task<void> task, const char* what);

  const Executor executor_;
  ObjectStore& store_;
  const Clock& clock_;
  std::unique_ptr<Memory> memory_;
  std::int64_t last_made_ = 0;
  std::vector<ObjectRow> unstored_;
  bool saving_ = false, sweeping_ = false;
  Instant next_save_{}, next_sweep_{};
};

}  // namespace proxyxai
