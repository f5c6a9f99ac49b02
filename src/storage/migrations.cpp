#include <array>
#include <filesystem>

#include <spdlog/spdlog.h>

#include "proxyxai/storage/database.hpp"

namespace proxyxai {
namespace {

/// Step n takes the schema from version n to n + 1. Steps are only ever added.
constexpr std::array<const char*, 1> steps{
    R"sql(
CREATE TABLE upstream_keys (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  fingerprint BLOB NOT NULL UNIQUE,          -- SHA-256 of the secret
  sealed      BLOB NOT NULL,
  partial     TEXT NOT NULL,
  name        TEXT NOT NULL,
  provider    TEXT NOT NULL,
  level       INTEGER NOT NULL,
  weight      INTEGER NOT NULL,
  enabled     INTEGER NOT NULL,
  health      TEXT NOT NULL,                 -- JSON
  created_at  INTEGER NOT NULL,              -- milliseconds since 1970, as all times
  died_at     INTEGER
) STRICT;
CREATE INDEX upstream_keys_by_death ON upstream_keys (died_at) WHERE died_at IS NOT NULL;

CREATE TABLE accounts (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
  email       TEXT NOT NULL,
  key_digest  BLOB NOT NULL UNIQUE,          -- SHA-256 of the virtual key
  partial     TEXT NOT NULL,
  is_root     INTEGER NOT NULL,
  enabled     INTEGER NOT NULL,
  created_at  INTEGER NOT NULL
) STRICT;
)sql"};

}  // namespace

int schema_version() { return static_cast<int>(steps.size()); }

void migrate(Database& database, const std::string& file) {
  const int stored = std::stoi(database.value_of("PRAGMA user_version"));
  if (stored > schema_version()) {
    throw Failure("the database '" + file + "' has schema " + std::to_string(stored) + ", made by a newer version of this program, which knows " +
                  std::to_string(schema_version()) + "; install that version, or restore a backup");
  }
  if (stored == schema_version()) return;
  if (stored > 0) {
    const std::string copy = file + ".before-v" + std::to_string(schema_version());
    std::filesystem::remove(copy);
    database.prepare("VACUUM INTO ?").bind(std::string_view(copy)).run();
    std::filesystem::permissions(copy, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    spdlog::info("the database is copied to '{}' before its schema changes from {} to {}", copy, stored, schema_version());
  }
  for (int version = stored; version < schema_version(); ++version) {
    database.execute("BEGIN IMMEDIATE");
    try {
      database.execute(steps[static_cast<std::size_t>(version)]);
      database.execute("PRAGMA user_version = " + std::to_string(version + 1));
      database.execute("COMMIT");
    } catch (...) {
      if (database.in_transaction()) database.execute("ROLLBACK");
      throw;
    }
  }
}

}  // namespace proxyxai
