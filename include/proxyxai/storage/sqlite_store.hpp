#pragma once

#include <memory>
#include <string>
#include <vector>

#include "proxyxai/storage/store.hpp"
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

 private:
  const std::string path_;
  int lock_ = -1;
};

/// Keys and accounts in one SQLite file (WAL), with one connection that writes and one that reads, each on a thread of its
/// own. Construction opens, migrates and asserts `synchronous`; afterwards loop thread only.
class SqliteStore final : public KeyStore, public AccountStore {
 public:
  struct Options {
    bool exclusive = true;        ///< Be the only daemon on this directory; the offline commands are not.
    bool full_durability = true;  ///< `synchronous = FULL`; else NORMAL, which may lose the last commits when power fails.
  };
  SqliteStore(boost::asio::io_context& loop, const std::string& directory, Options options);
  ~SqliteStore() override;

  Task<std::vector<KeyRow>> load_keys() override;
  Task<Added> add_keys(std::vector<KeyRow> rows) override;
  Task<bool> update_key(KeyRow row) override;
  Task<bool> delete_key(std::int64_t id) override;
  Task<void> save_health(std::vector<HealthUpdate> updates) override;
  Task<std::size_t> sweep_dead(WallTime before) override;

  Task<std::optional<AccountRow>> find_by_key(Digest key_digest) override;
  Task<std::optional<AccountRow>> find_by_name(std::string name) override;
  Task<AccountRow> put_account(AccountRow row) override;
  Task<std::vector<AccountRow>> load_recent_accounts(std::size_t limit) override;

  [[nodiscard]] const DatabaseWorker::Figures& writer_figures() const { return writer_->figures(); }
  [[nodiscard]] const std::string& directory() const { return directory_.path(); }

 private:
  DataDirectory directory_;
  std::unique_ptr<DatabaseWorker> writer_, reader_;
};

/// What `PRAGMA integrity_check` and `foreign_key_check` find wrong with the database in `directory`; empty: nothing. May run
/// beside a daemon.
std::vector<std::string> check_database(const std::string& directory);

/// A consistent copy of the database in `directory`, which may be in use; mode 0600. Throws Failure when `target` exists.
void backup_database(const std::string& directory, const std::string& target);

}  // namespace proxyxai
