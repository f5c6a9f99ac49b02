#include "proxyxai/storage/sqlite_store.hpp"

#include <sys/stat.h>

#include <filesystem>

namespace proxyxai {
namespace {

constexpr std::string_view key_columns =
    "id, fingerprint, sealed, partial, name, provider, level, weight, enabled, health, created_at, died_at";
constexpr std::string_view account_columns = "id, name, email, key_digest, partial, is_root, enabled, created_at";

std::string select(std::string_view columns, std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM " + std::string(rest);
}

KeyRow read_key(const Statement& row) {
  KeyRow key;
  key.id = row.integer(0);
  key.fingerprint = row.digest(1);
  key.sealed = row.blob(2);
  key.partial = row.text(3);
  key.name = row.text(4);
  key.provider = row.text(5);
  key.level = static_cast<int>(row.integer(6));
  key.weight = static_cast<unsigned>(row.integer(7));
  key.enabled = row.integer(8) != 0;
  key.health = row.text(9);
  key.created_at = row.time(10).value_or(WallTime{});
  key.died_at = row.time(11);
  return key;
}

AccountRow read_account(const Statement& row) {
  AccountRow account;
  account.id = row.integer(0);
  account.name = row.text(1);
  account.email = row.text(2);
  account.key_digest = row.digest(3);
  account.partial = row.text(4);
  account.is_root = row.integer(5) != 0;
  account.enabled = row.integer(6) != 0;
  account.created_at = row.time(7).value_or(WallTime{});
  return account;
}

std::optional<AccountRow> one_account(Statement& statement) {
  if (!statement.step()) return std::nullopt;
  return read_account(statement);
}

/// The stored row of that fingerprint, or nothing.
std::optional<KeyRow> key_of(Database& database, const Digest& fingerprint) {
  static const std::string sql = select(key_columns, "upstream_keys WHERE fingerprint = ?");
  Statement statement = database.prepare(sql);
  statement.bind(fingerprint);
  if (!statement.step()) return std::nullopt;
  return read_key(statement);
}

void insert_key(Database& database, KeyRow& row) {
  Statement statement = database.prepare(
      "INSERT INTO upstream_keys (fingerprint, sealed, partial, name, provider, level, weight, enabled, health, created_at, "
      "died_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  statement.bind(row.fingerprint).bind_blob(row.sealed).bind(std::string_view(row.partial)).bind(std::string_view(row.name));
  statement.bind(std::string_view(row.provider)).bind(std::int64_t{row.level}).bind(std::int64_t{row.weight});
  statement.bind(std::int64_t{row.enabled}).bind(std::string_view(row.health)).bind(to_unix_ms(row.created_at)).bind(row.died_at);
  statement.run();
  row.id = database.last_id();
}

std::unique_ptr<Database> open_writer(const std::string& file, bool full) {
  auto database = std::make_unique<Database>(file, Database::Mode::read_write);
  database->execute("PRAGMA journal_mode = WAL");
  database->execute(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  const std::string mode = database->value_of("PRAGMA journal_mode");
  const std::string synchronous = database->value_of("PRAGMA synchronous");
  if (mode != "wal" || synchronous != (full ? "2" : "1")) {
    throw Failure("the database '" + file + "' does not take journal_mode WAL and synchronous " + (full ? "FULL" : "NORMAL") +
                  "; DATA_DIR must be on a local file system");
  }
  migrate(*database, file);
  return database;
}

std::unique_ptr<Database> open_reader(const std::string& file) {
  auto database = std::make_unique<Database>(file, Database::Mode::read_only);
  database->execute("PRAGMA query_only = ON");
  return database;
}

}  // namespace

SqliteStore::SqliteStore(boost::asio::io_context& loop, const std::string& directory, Options options)
    : directory_(directory, options.exclusive) {
  const std::string file = directory_.database_file();
  writer_ = std::make_unique<DatabaseWorker>(loop, open_writer(file, options.full_durability), true);
  reader_ = std::make_unique<DatabaseWorker>(loop, open_reader(file), false);
}

SqliteStore::~SqliteStore() = default;

Task<std::vector<KeyRow>> SqliteStore::load_keys() {
  co_return co_await reader_->run([](Database& database) {
    static const std::string sql = select(key_columns, "upstream_keys ORDER BY id");
    std::vector<KeyRow> rows;
    Statement statement = database.prepare(sql);
    while (statement.step()) rows.push_back(read_key(statement));
    return rows;
  });
}

Task<KeyStore::Added> SqliteStore::add_keys(std::vector<KeyRow> rows) {
  auto job = [rows = std::move(rows)](Database& database) mutable {
    Added added;
    for (KeyRow& row : rows) {
      auto existing = key_of(database, row.fingerprint);
      added.is_new.push_back(!existing);
      if (!existing) insert_key(database, row);
      added.rows.push_back(existing ? std::move(*existing) : row);
    }
    return added;
  };
  co_return co_await writer_->run(std::move(job));
}

Task<bool> SqliteStore::update_key(KeyRow row) {
  auto job = [row = std::move(row)](Database& database) {
    Statement statement = database.prepare(
        "UPDATE upstream_keys SET name = ?, provider = ?, level = ?, weight = ?, enabled = ? WHERE id = ?");
    statement.bind(std::string_view(row.name)).bind(std::string_view(row.provider)).bind(std::int64_t{row.level});
    statement.bind(std::int64_t{row.weight}).bind(std::int64_t{row.enabled}).bind(row.id).run();
    return database.changes() > 0;
  };
  co_return co_await writer_->run(std::move(job));
}

Task<bool> SqliteStore::delete_key(std::int64_t id) {
  co_return co_await writer_->run([id](Database& database) {
    database.prepare("DELETE FROM upstream_keys WHERE id = ?").bind(id).run();
    return database.changes() > 0;
  });
}

Task<void> SqliteStore::save_health(std::vector<HealthUpdate> updates) {
  auto job = [updates = std::move(updates)](Database& database) {
    for (const HealthUpdate& each : updates) {
      Statement statement = database.prepare("UPDATE upstream_keys SET health = ?, enabled = ?, died_at = ? WHERE id = ?");
      statement.bind(std::string_view(each.health)).bind(std::int64_t{each.enabled}).bind(each.died_at).bind(each.id).run();
    }
    return true;
  };
  co_await writer_->run(std::move(job));
}

Task<std::size_t> SqliteStore::sweep_dead(WallTime before) {
  co_return co_await writer_->run([before](Database& database) {
    database.prepare("DELETE FROM upstream_keys WHERE died_at IS NOT NULL AND died_at < ?").bind(to_unix_ms(before)).run();
    return static_cast<std::size_t>(database.changes());
  });
}

Task<std::optional<AccountRow>> SqliteStore::find_by_key(Digest key_digest) {
  co_return co_await reader_->run([key_digest](Database& database) {
    static const std::string sql = select(account_columns, "accounts WHERE key_digest = ?");
    Statement statement = database.prepare(sql);
    statement.bind(key_digest);
    return one_account(statement);
  });
}

Task<std::optional<AccountRow>> SqliteStore::find_by_name(std::string name) {
  auto job = [name = std::move(name)](Database& database) {
    static const std::string sql = select(account_columns, "accounts WHERE name = ?");
    Statement statement = database.prepare(sql);
    statement.bind(std::string_view(name));
    return one_account(statement);
  };
  co_return co_await reader_->run(std::move(job));
}

Task<AccountRow> SqliteStore::put_account(AccountRow row) {
  auto job = [row = std::move(row)](Database& database) {
    Statement put = database.prepare(
        "INSERT INTO accounts (name, email, key_digest, partial, is_root, enabled, created_at) VALUES (?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET email = excluded.email, key_digest = excluded.key_digest, partial = excluded.partial");
    put.bind(std::string_view(row.name)).bind(std::string_view(row.email)).bind(row.key_digest).bind(std::string_view(row.partial));
    put.bind(std::int64_t{row.is_root}).bind(std::int64_t{row.enabled}).bind(to_unix_ms(row.created_at)).run();
    static const std::string sql = select(account_columns, "accounts WHERE name = ?");
    Statement get = database.prepare(sql);
    get.bind(std::string_view(row.name));
    return one_account(get).value();
  };
  co_return co_await writer_->run(std::move(job));
}

Task<std::vector<AccountRow>> SqliteStore::load_recent_accounts(std::size_t limit) {
  co_return co_await reader_->run([limit](Database& database) {
    static const std::string sql = select(account_columns, "accounts ORDER BY id DESC LIMIT ?");
    std::vector<AccountRow> rows;
    Statement statement = database.prepare(sql);
    statement.bind(static_cast<std::int64_t>(limit));
    while (statement.step()) rows.push_back(read_account(statement));
    return rows;
  });
}

std::vector<std::string> check_database(const std::string& directory) {
  const std::string file = directory + "/proxyxai.db";
  if (!std::filesystem::exists(file)) throw Failure("there is no database '" + file + "'; is DATA_DIR right?");
  Database database(file, Database::Mode::read_only);
  std::vector<std::string> faults;
  Statement integrity = database.prepare("PRAGMA integrity_check");
  while (integrity.step()) {
    if (integrity.text(0) != "ok") faults.push_back(integrity.text(0));
  }
  Statement foreign = database.prepare("PRAGMA foreign_key_check");
  while (foreign.step()) faults.push_back("a row of " + foreign.text(0) + " refers to a row of " + foreign.text(2) + " that is not there");
  return faults;
}

void backup_database(const std::string& directory, const std::string& target) {
  const std::string file = directory + "/proxyxai.db";
  if (!std::filesystem::exists(file)) throw Failure("there is no database '" + file + "'; is DATA_DIR right?");
  if (std::filesystem::exists(target)) throw Failure("'" + target + "' exists already; give another name, or remove it first");
  const mode_t before = ::umask(0077);
  try {
    Database database(file, Database::Mode::read_only);
    database.prepare("VACUUM INTO ?").bind(std::string_view(target)).run();
  } catch (...) {
    ::umask(before);
    throw;
  }
  ::umask(before);
}

}  // namespace proxyxai
