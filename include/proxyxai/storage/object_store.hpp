#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/money.hpp"
#include "proxyxai/base/task.hpp"

/// What upstream keeps for whom, as a database keeps it.
namespace proxyxai {

/// Something that exists upstream under one key.
struct ObjectRow {
  std::string id;            ///< Upstream's.
  std::uint8_t kind = 0;     ///< ObjectKind of objects/kinds.hpp.
  std::string owner;         ///< `dna` of the account that made it.
  std::int64_t key = 0;      ///< The upstream key it lives under.
  std::int64_t made = 0;     ///< Microseconds since 1970, made unique: the order of lists.
  std::int32_t used_on = 0;  ///< Day since 1970 on which it was last used.
  std::int64_t bytes = 0;    ///< Of text in the lines of a batch's file.
  std::int64_t output = 0;   ///< Tokens that those lines allow; 0: the file was not read as a batch's.
  std::string model;         ///< That they name.
};

/// One page of the objects of a kind that belong to an account and its descendants.
struct ObjectQuery {
  std::string of;            ///< `dna` of the account.
  std::uint8_t kind = 0;
  bool ascending = false;    ///< Oldest first.
  std::int64_t after = 0;    ///< `made` of the object behind which the page begins, in the order asked for; 0: at the start.
  std::int64_t before = 0;   ///< `made` of the object at which the page ends; 0: at its size.
  std::size_t size = 20;
};

/// Work that upstream has taken on and that is charged when its usage appears.
struct PendingBill {
  std::string id;            ///< Upstream's id of the work.
  std::int64_t account_id = 0;
  std::int64_t key = 0;
  std::string path;          ///< Where upstream tells how it stands.
  std::string endpoint;      ///< Whose usage it is, e.g. `responses`.
  std::string model;         ///< As asked for; empty: not known.
  std::string tier;          ///< Price tier where upstream does not say one: `batch`, or none.
  Money reserved;            ///< Of the account's credit, while it goes on.
  std::int64_t input = 0, output = 0;  ///< Tokens known to have been used, for when upstream never tells.
  WallTime made{};
};

/// Loop thread; coroutines; failures throw StorageError.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Those of `ids` that are known, in any order.
  virtual Task<std::vector<ObjectRow>> find_objects(std::vector<std::string> ids) = 0;
  /// Stores new ones; of an id that is known, what is stored stays. Returns all of them as they are stored.
  virtual Task<std::vector<ObjectRow>> put_objects(std::vector<ObjectRow> rows) = 0;
  virtual Task<bool> forget_objects(std::vector<std::string> ids) = 0;
  virtual Task<bool> mark_used(std::vector<std::string> ids, std::int32_t day) = 0;
  virtual Task<std::vector<ObjectRow>> list_objects(ObjectQuery query) = 0;
  /// The key of the newest listed object of that account, stored completions aside; 0: it has none.
  virtual Task<std::int64_t> newest_key(std::string owner) = 0;

  /// Looks at the next `most` objects behind `after`, by id, and deletes those last used before the day that
  /// `oldest_day[kind]` says; 0: never.
  struct Swept {
    std::string last;        ///< The last one looked at; empty: there were no more.
    std::size_t deleted = 0;
  };
  virtual Task<Swept> sweep_objects(std::string after, std::size_t most, std::vector<std::int32_t> oldest_day) = 0;

  /// Stores a new one, or replaces what is stored of it. A request's row with `settles_pending` ends it.
  virtual Task<bool> put_pending(PendingBill bill) = 0;
  virtual Task<std::vector<PendingBill>> load_pending() = 0;
};

}  // namespace proxyxai
