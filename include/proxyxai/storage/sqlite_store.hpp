#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxyxai/storage/account_store.hpp"
#include "proxyxai/storage/object_store.hpp"
#include "proxyxai/storage/worker.hpp"

namespace proxyxai {

/// The directory of the daemon's data, made with mode 0700, and the lock that keeps a second daemon out of it.
class DataDirectory {
 public:
  /// Throws Failure when it cannot be made or, with `exclusive`, when another daemon holds it.
  DataDirectory(std::string path, bool exclusive);
  ~DataDirectory();
  DataDirectory(const DataDirectory&) = delete;
  DataDirectory& operator=(const DataDirectory&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string database_file() const { return path_ + "/proxyxai.db"; }
  /// When it is not there; its mode is 0600 in any case. Once, before SQLite opens it. Throws Failure, also when another daemon holds it.
  void make_database_file();

 private:
  [[noreturn]] void throw_other_runs() const;

  const std::string path_;
  const bool is_exclusive_;
  int lock_ = -1;
  int database_ = -1;
};

/// Keys and accounts in one SQLite file (WAL), with one connection that writes and three that read, each on a thread of its
/// own. Construction opens, migrates and asserts `synchronous`; afterwards loop thread only.
class SqliteStore final : public KeyStore, public AccountStore, public ObjectStore, public ConfigStore {
 public:
  struct Options {
    bool exclusive = true;        ///< Be the only daemon on this directory; the offline commands are not.
    bool full_durability = true;  ///< `synchronous = FULL`; else NORMAL, which may lose the last commits when power fails.
  };
  SqliteStore(boost::asio::io_context& loop, const std::string& directory, Options options);
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  Task<std::vector<KeyRow>> load_keys() override;
  Task<Added> add_keys(std::vector<KeyRow> rows) override;
  Task<bool> update_key(KeyRow row) override;
  Task<bool> delete_key(std::int64_t id) override;
  Task<void> save_health(std::vector<HealthUpdate> updates) override;
  Task<std::size_t> sweep_dead(WallTime before) override;

  Task<std::vector<AccountRow>> find_lineage(Digest key_digest) override;
  Task<std::vector<AccountRow>> find_lineage(AccountId id) override;
  Task<std::optional<AccountRow>> find_by_name(std::string name) override;
  Task<AccountRow> put_account(AccountRow row) override;
  Task<bool> transact(std::function<void(AccountTransaction&)> work) override;
  Task<std::int64_t> word(std::string text) override;
  Task<std::vector<AccountRow>> list_accounts(AccountQuery query) override;
  Task<std::vector<CardRow>> list_cards(AccountId account) override;
  Task<std::vector<ShownRequest>> list_requests(RequestQuery query) override;
  Task<Bill> bill(BillQuery query) override;
  Task<std::vector<OperationRow>> list_operations(OperationQuery query) override;

  Task<std::vector<ObjectRow>> find_objects(std::vector<std::string> ids) override;
  Task<std::vector<ObjectRow>> put_objects(std::vector<ObjectRow> rows) override;
  Task<bool> forget_objects(std::vector<std::string> ids) override;
  Task<bool> mark_used(std::vector<std::string> ids, std::int32_t day) override;
  Task<std::vector<ObjectRow>> list_objects(ObjectQuery query) override;
  Task<std::int64_t> newest_key(std::string owner) override;
  Task<Swept> sweep_objects(std::string after, std::size_t most, std::vector<std::int32_t> oldest_day) override;
  Task<bool> put_pending(PendingBill bill) override;
  Task<std::vector<PendingBill>> load_pending() override;

  Task<std::vector<ConfigRow>> load_config() override;
  Task<void> put_config(std::vector<ConfigChange> changes) override;

  [[nodiscard]] const DatabaseWorker::Figures& writer_figures() const { return writer_->figures(); }
  /// Counts the time that each commit takes there; outlives this.
  void observe_commits(Histogram& times) { writer_->observe_commits(times); }
  [[nodiscard]] const std::string& directory() const { return directory_.path(); }

 private:
  DataDirectory directory_;
  std::unique_ptr<DatabaseWorker> writer_;
  std::unique_ptr<DatabaseWorker> finder_;  // for what is quick
  std::unique_ptr<DatabaseWorker> searcher_;  // for what upstream keeps: one request may ask for thousands, and lets nobody wait to be known
  std::unique_ptr<DatabaseWorker> lister_;  // for what may take its time, and lets nobody wait to be known
};

}  // namespace proxyxai
