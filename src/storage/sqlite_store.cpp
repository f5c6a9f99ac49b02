#include "proxyxai/storage/sqlite_store.hpp"

namespace proxyxai {
namespace {

constexpr std::string_view key_columns =
    "id, fingerprint, sealed, partial, name, provider, level, weight, enabled, health, created_at, died_at, rpm, tpm, concurrency";

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
  key.quota = {row.integer(12), row.integer(13), row.integer(14)};
  return key;
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
      "died_at, rpm, tpm, concurrency) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  statement.bind(row.fingerprint).bind_blob(row.sealed).bind(std::string_view(row.partial)).bind(std::string_view(row.name));
  statement.bind(std::string_view(row.provider)).bind(std::int64_t{row.level}).bind(std::int64_t{row.weight});
  statement.bind(std::int64_t{row.enabled ? 1 : 0}).bind(std::string_view(row.health)).bind(to_unix_ms(row.created_at)).bind(row.died_at);
  statement.bind(row.quota.rpm).bind(row.quota.tpm).bind(row.quota.concurrency).run();
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
  directory_.make_database_file();
  writer_ = std::make_unique<DatabaseWorker>(loop, open_writer(file, options.full_durability), true);
  finder_ = std::make_unique<DatabaseWorker>(loop, open_reader(file), false);
  searcher_ = std::make_unique<DatabaseWorker>(loop, open_reader(file), false);
  lister_ = std::make_unique<DatabaseWorker>(loop, open_reader(file), false);
}

SqliteStore::~SqliteStore() = default;

Task<std::vector<KeyRow>> SqliteStore::load_keys() {
  co_return co_await finder_->run([](Database& database) {
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
        "UPDATE upstream_keys SET name = ?, provider = ?, level = ?, weight = ?, rpm = ?, tpm = ?, concurrency = ?, enabled = ? WHERE id = ?");
    statement.bind(std::string_view(row.name)).bind(std::string_view(row.provider)).bind(std::int64_t{row.level});
    statement.bind(std::int64_t{row.weight}).bind(row.quota.rpm).bind(row.quota.tpm).bind(row.quota.concurrency);
    statement.bind(std::int64_t{row.enabled ? 1 : 0}).bind(row.id).run();
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
      statement.bind(std::string_view(each.health)).bind(std::int64_t{each.enabled ? 1 : 0}).bind(each.died_at).bind(each.id).run();
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

}  // namespace proxyxai
