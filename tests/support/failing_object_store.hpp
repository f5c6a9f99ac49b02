#pragma once

#include "proxyxai/storage/object_store.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {

/// A real store whose disk is full when the test says so: nothing can be changed then, and everything read.
class FailingObjectStore final : public ObjectStore {
 public:
  explicit FailingObjectStore(ObjectStore& store) : store_(store) {}

  bool is_full = false;

  Task<std::vector<ObjectRow>> find_objects(std::vector<std::string> ids) override { return store_.find_objects(std::move(ids)); }
  Task<std::vector<ObjectRow>> put_objects(std::vector<ObjectRow> rows) override {
    require_room();
    co_return co_await store_.put_objects(std::move(rows));
  }
  Task<bool> forget_objects(std::vector<std::string> ids) override {
    require_room();
    co_return co_await store_.forget_objects(std::move(ids));
  }
  Task<bool> mark_used(std::vector<std::string> ids, std::int32_t day) override {
    require_room();
    co_return co_await store_.mark_used(std::move(ids), day);
  }
  Task<std::vector<ObjectRow>> list_objects(ObjectQuery query) override { return store_.list_objects(std::move(query)); }
  Task<std::int64_t> newest_key(std::string owner) override { return store_.newest_key(std::move(owner)); }
  Task<Swept> sweep_objects(std::string after, std::size_t most, std::vector<std::int32_t> oldest_day) override {
    require_room();
    co_return co_await store_.sweep_objects(std::move(after), most, std::move(oldest_day));
  }
  Task<bool> put_pending(PendingBill bill) override {
    require_room();
    co_return co_await store_.put_pending(std::move(bill));
  }
  Task<std::vector<PendingBill>> load_pending() override { return store_.load_pending(); }

 private:
  void require_room() const {
    if (is_full) throw StorageError("the disk is full");
  }

  ObjectStore& store_;
};

}  // namespace proxyxai
