#include "proxyxai/storage/key_ledger.hpp"

#include "proxyxai/storage/database.hpp"
#include "proxyxai/storage/offline.hpp"

namespace proxyxai {
namespace {

constexpr std::int64_t day_us = seconds_in_day * 1'000'000;  // ids of requests are microseconds

void read_key(Database& database, std::int64_t key, KeyLedger& ledger) {
  Statement row = database.prepare("SELECT partial, provider FROM upstream_keys WHERE id = ?");
  row.bind(key);
  if (!row.step()) return;
  ledger.partial = row.text(0);
  ledger.provider = row.text(1);
}

void read_extent(Database& database, std::int64_t key, KeyLedger& ledger) {
  Statement first = database.prepare("SELECT id FROM requests ORDER BY id LIMIT 1");
  if (first.step()) ledger.first_day = static_cast<UtcDay>(first.integer(0) / day_us);
  Statement forgotten = database.prepare("SELECT 1 FROM forgotten WHERE requests > 0 LIMIT 1");
  ledger.has_forgotten = forgotten.step();
  Statement any = database.prepare("SELECT 1 FROM requests WHERE key_id = ? LIMIT 1");
  any.bind(key);
  ledger.has_requests = any.step();
}

Statement& bind_range(Statement& statement, std::int64_t key, UtcDay since, UtcDay until) {
  return statement.bind(key).bind(since * day_us).bind(until * day_us);
}

}  // namespace

KeyLedger read_key_ledger(const std::string& directory, std::int64_t key, UtcDay since, UtcDay until) {
  const std::string file = database_in(directory);
  Database database(file, Database::Mode::read_only);
  database.execute("BEGIN");
  if (const int stored = std::stoi(database.value_of("PRAGMA user_version")); stored != schema_version()) {
    throw Failure("the database '" + file + "' has schema " + std::to_string(stored) + ", this program " + std::to_string(schema_version()) +
                  "; use the program of the daemon that serves with it");
  }
  KeyLedger ledger;
  read_key(database, key, ledger);
  read_extent(database, key, ledger);
  Statement tokens = database.prepare(R"sql(
SELECT r.id / 86400000000, COALESCE(m.text, ''), COUNT(*), SUM(r.input), SUM(r.cached), SUM(r.output)
  FROM requests r LEFT JOIN words m ON m.id = r.model LEFT JOIN words p ON p.id = r.path
  WHERE r.key_id = ? AND r.id >= ? AND r.id < ? AND (r.input > 0 OR r.output > 0)
    AND COALESCE(p.text, '') NOT LIKE 'audio/%' AND COALESCE(p.text, '') NOT LIKE 'images/%'
  GROUP BY 1, 2 ORDER BY 1, 2)sql");
  bind_range(tokens, key, since, until);
  while (tokens.step()) {
    ledger.tokens.push_back({static_cast<UtcDay>(tokens.integer(0)), tokens.text(1), tokens.integer(2), tokens.integer(3), tokens.integer(4), tokens.integer(5)});
  }
  Statement costs = database.prepare(
      "SELECT id / 86400000000, SUM(list_cost) FROM requests WHERE key_id = ? AND id >= ? AND id < ? GROUP BY 1 ORDER BY 1");
  bind_range(costs, key, since, until);
  while (costs.step()) ledger.costs.push_back({static_cast<UtcDay>(costs.integer(0)), {costs.integer(1)}});
  return ledger;
}

}  // namespace proxyxai
