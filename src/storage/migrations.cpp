#include <array>
#include <filesystem>

#include <spdlog/spdlog.h>

#include "proxyxai/storage/database.hpp"

namespace proxyxai {
namespace {

/// Step n takes the schema from version n to n + 1. Steps are only ever added.
constexpr std::array<const char*, 3> steps{
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
)sql",
    R"sql(
ALTER TABLE accounts RENAME TO accounts_before;
CREATE TABLE accounts (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  parent_id      INTEGER NOT NULL,             -- 0: none
  level          INTEGER NOT NULL,
  dna            TEXT NOT NULL UNIQUE,         -- '.1.4.7.'
  name           TEXT COLLATE NOCASE UNIQUE,   -- null, as email and key_digest: deleted
  alias          TEXT NOT NULL,
  email          TEXT COLLATE NOCASE,
  billing_email  TEXT NOT NULL,
  key_digest     BLOB UNIQUE,                  -- SHA-256 of the virtual key
  partial        TEXT NOT NULL,
  is_root        INTEGER NOT NULL,
  enabled        INTEGER NOT NULL,
  rates          INTEGER NOT NULL,             -- billionths of the list price
  hard_limit     INTEGER NOT NULL,             -- nano-dollars, as all amounts; 0: none
  soft_limit     INTEGER NOT NULL,
  rpm INTEGER NOT NULL, rph INTEGER NOT NULL, rpd INTEGER NOT NULL,
  tpm INTEGER NOT NULL, tph INTEGER NOT NULL, tpd INTEGER NOT NULL,
  concurrency    INTEGER NOT NULL,
  child_limit    INTEGER NOT NULL,
  children       INTEGER NOT NULL,             -- that are not deleted
  allow_ips      TEXT NOT NULL,
  allow_models   TEXT NOT NULL,
  resources      TEXT NOT NULL,
  model_limits   TEXT NOT NULL,
  drains_aborted INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  updated_at     INTEGER NOT NULL,
  overdraft      INTEGER NOT NULL,
  credit_granted INTEGER NOT NULL,
  credit_used    INTEGER NOT NULL,
  requests       INTEGER NOT NULL,
  month          INTEGER NOT NULL,             -- 202611
  month_used     INTEGER NOT NULL,
  rolled_to      INTEGER NOT NULL              -- id of the last request in the figures above
) STRICT;
INSERT INTO accounts SELECT id,
    CASE is_root WHEN 1 THEN 0 ELSE (SELECT id FROM accounts_before WHERE is_root) END, 1 - is_root,
    CASE is_root WHEN 1 THEN '.' ELSE '.' || (SELECT id FROM accounts_before WHERE is_root) || '.' END || id || '.',
    name, '', email, '', key_digest, partial, is_root, enabled, 1000000000, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    CASE is_root WHEN 1 THEN 1000000 ELSE 1000 END,
    CASE is_root WHEN 1 THEN (SELECT COUNT(*) FROM accounts_before WHERE NOT is_root) ELSE 0 END, '', '', '', '', 0, created_at, created_at, 0, 0, 0, 0, 0, 0, 0
  FROM accounts_before;
DROP TABLE accounts_before;
CREATE INDEX accounts_by_parent ON accounts (parent_id);
CREATE INDEX accounts_by_email ON accounts (email);

CREATE TABLE cards (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  amount     INTEGER NOT NULL,
  balance    INTEGER NOT NULL,
  granted_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  reference  TEXT NOT NULL
) STRICT;
CREATE INDEX cards_by_account ON cards (account_id, expires_at);
CREATE INDEX cards_by_expiry ON cards (expires_at);

CREATE TABLE operations (
  id        INTEGER PRIMARY KEY AUTOINCREMENT,
  at        INTEGER NOT NULL,
  actor_id  INTEGER NOT NULL,
  target_id INTEGER NOT NULL,
  action    TEXT NOT NULL,
  details   TEXT NOT NULL                      -- JSON
) STRICT;
CREATE INDEX operations_by_actor ON operations (actor_id);
CREATE INDEX operations_by_target ON operations (target_id);

-- Movements between accounts and counterparts (negative ids), each two entries that sum to zero. Append-only.
CREATE TABLE transfers (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  at           INTEGER NOT NULL,
  kind         TEXT NOT NULL,
  from_account INTEGER NOT NULL,
  to_account   INTEGER NOT NULL,
  amount       INTEGER NOT NULL CHECK (amount > 0),
  operation    INTEGER NOT NULL
) STRICT;

-- Names of models and paths, that requests refer to.
CREATE TABLE words (
  id   INTEGER PRIMARY KEY,
  text TEXT NOT NULL UNIQUE
) STRICT;

-- One row a request: also the movement of its cost from the account to usage (-2). Append-only, until its day is old.
CREATE TABLE requests (
  id            INTEGER PRIMARY KEY,           -- microseconds since 1970, made unique
  account_id    INTEGER NOT NULL,
  model         INTEGER NOT NULL,
  path          INTEGER NOT NULL,
  status        INTEGER NOT NULL,
  attempts      INTEGER NOT NULL,
  key_id        INTEGER NOT NULL,
  input         INTEGER NOT NULL,
  cached        INTEGER NOT NULL,
  output        INTEGER NOT NULL,
  cost          INTEGER NOT NULL CHECK (cost >= 0),
  list_cost     INTEGER NOT NULL,
  duration_ms   INTEGER NOT NULL,
  first_byte_ms INTEGER NOT NULL,
  flags         INTEGER NOT NULL,              -- 1: streamed, 2: estimated
  request_id    TEXT NOT NULL
) STRICT;
CREATE INDEX requests_by_account ON requests (account_id, id, model);  -- id, so that model can follow it

-- Requests of an account up to its rolled_to, by day and model.
CREATE TABLE days (
  account_id INTEGER NOT NULL,
  day        INTEGER NOT NULL,                 -- 20261125
  model      INTEGER NOT NULL,
  requests   INTEGER NOT NULL,
  input      INTEGER NOT NULL,
  cached     INTEGER NOT NULL,
  output     INTEGER NOT NULL,
  cost       INTEGER NOT NULL,
  PRIMARY KEY (account_id, day, model)
) STRICT, WITHOUT ROWID;

-- Requests of an account that are kept no longer: what is missing from them to its days.
CREATE TABLE forgotten (
  account_id INTEGER PRIMARY KEY,
  requests   INTEGER NOT NULL,
  cost       INTEGER NOT NULL
) STRICT;

CREATE TABLE answers (
  caller     INTEGER NOT NULL,
  key        TEXT NOT NULL,
  request    BLOB NOT NULL,
  sealed     BLOB NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX answers_by_time ON answers (at);

CREATE TABLE marks (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every movement as entries: of any database they sum to zero, and those of an account to its balance.
CREATE VIEW entries (account_id, amount) AS
  SELECT from_account, -amount FROM transfers
  UNION ALL SELECT to_account, amount FROM transfers
  UNION ALL SELECT account_id, -cost FROM days
  UNION ALL SELECT -2, cost FROM days
  UNION ALL SELECT r.account_id, -r.cost FROM accounts a CROSS JOIN requests r ON r.account_id = a.id AND r.id > a.rolled_to
  UNION ALL SELECT -2, r.cost FROM accounts a CROSS JOIN requests r ON r.account_id = a.id AND r.id > a.rolled_to;
)sql",
    R"sql(
-- What upstream keeps for whom.
CREATE TABLE objects (
  id      TEXT PRIMARY KEY,
  kind    INTEGER NOT NULL,
  owner   TEXT NOT NULL,                       -- dna of the account
  key_id  INTEGER NOT NULL,
  made    INTEGER NOT NULL,                    -- microseconds since 1970, made unique
  used_on INTEGER NOT NULL,                    -- day since 1970
  bytes   INTEGER NOT NULL,                    -- of text in a batch's file, as the next two
  output  INTEGER NOT NULL,                    -- tokens
  model   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_by_owner ON objects (owner, kind, made) WHERE kind < 16;

-- Work of upstream that is charged when its usage appears.
CREATE TABLE pending_bills (
  id         TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL,
  key_id     INTEGER NOT NULL,
  path       TEXT NOT NULL,
  endpoint   TEXT NOT NULL,
  model      TEXT NOT NULL,
  tier       TEXT NOT NULL,
  reserved   INTEGER NOT NULL,
  input      INTEGER NOT NULL,
  output     INTEGER NOT NULL,
  made       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- keys
-- What the operator lets a key be used in a minute and at one time; 0: no limit.
ALTER TABLE upstream_keys ADD COLUMN rpm INTEGER NOT NULL DEFAULT 0;
ALTER TABLE upstream_keys ADD COLUMN tpm INTEGER NOT NULL DEFAULT 0;
ALTER TABLE upstream_keys ADD COLUMN concurrency INTEGER NOT NULL DEFAULT 0;

-- config
-- Settings that root has changed at run time; they go before the environment.
CREATE TABLE config (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- requests by account
-- Those of an account up to its rolled_to: an index that is written when they are taken in, many at once, and not with each of them.
CREATE TABLE account_requests (
  account_id INTEGER NOT NULL,
  id         INTEGER NOT NULL,
  model      INTEGER NOT NULL,
  PRIMARY KEY (account_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO account_requests SELECT r.account_id, r.id, r.model
  FROM requests r INDEXED BY requests_by_account CROSS JOIN accounts a ON a.id = r.account_id WHERE r.id <= a.rolled_to ORDER BY 1, 2;
DROP INDEX requests_by_account;

-- What accounts have not taken in is looked for after this mark only; it was a hint to the start before.
UPDATE marks SET value = MIN(value, (SELECT COALESCE(MIN(r.id) - 1, value)
  FROM requests r CROSS JOIN accounts a ON a.id = r.account_id WHERE r.id > a.rolled_to AND a.name IS NOT NULL)) WHERE name = 'rolled up';

DROP VIEW entries;
CREATE VIEW entries (account_id, amount) AS
  WITH late AS (SELECT r.account_id, r.cost FROM requests r CROSS JOIN accounts a ON a.id = r.account_id
    WHERE r.id > COALESCE((SELECT value FROM marks WHERE name = 'rolled up'), 0) AND r.id > a.rolled_to)
  SELECT from_account, -amount FROM transfers
  UNION ALL SELECT to_account, amount FROM transfers
  UNION ALL SELECT account_id, -cost FROM days
  UNION ALL SELECT -2, cost FROM days
  UNION ALL SELECT account_id, -cost FROM late
  UNION ALL SELECT -2, cost FROM late;
)sql"};

}  // namespace

int schema_version() { return static_cast<int>(steps.size()); }

void migrate(Database& database, const std::string& file, int wanted) {
  const int stored = std::stoi(database.value_of("PRAGMA user_version"));
  if (stored > schema_version()) {
    throw Failure("the database '" + file + "' has schema " + std::to_string(stored) + ", made by a newer version of this program, which knows " +
                  std::to_string(schema_version()) + "; install that version, or restore a backup");
  }
  if (stored >= wanted) return;
  if (stored > 0) {
    const std::string copy = file + ".before-v" + std::to_string(schema_version());
    std::filesystem::remove(copy);
    database.prepare("VACUUM INTO ?").bind(std::string_view(copy)).run();
    std::filesystem::permissions(copy, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    spdlog::info("the database is copied to '{}' before its schema changes from {} to {}", copy, stored, schema_version());
  }
  for (int version = stored; version < wanted; ++version) {
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
