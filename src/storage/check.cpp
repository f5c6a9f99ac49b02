#include <algorithm>
#include <array>

#include "proxyxai/base/money.hpp"
#include "proxyxai/storage/database.hpp"
#include "proxyxai/storage/offline.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t most_told = 20;

/// Each row that `sql` gives is a fault, which `tell` puts into words.
struct Look {
  const char* at;
  const char* sql;
  std::string (*tell)(const Statement& row);
};

std::string money(const Statement& row, int column) { return "$" + to_decimal({row.integer(column)}); }

/// Of a row that begins with id and name of an account.
std::string account(const Statement& row) {
  const std::string name = row.text(1);
  return "account " + std::to_string(row.integer(0)) + (name.empty() ? " (deleted)" : " ('" + name + "')");
}

/// Of a row that begins with what is wrong, and the id of the row that it is wrong with.
std::string lost(const Statement& row) { return row.text(0) + " " + row.text(1) + " refers to " + row.text(2) + ", which is not there"; }

const std::array file_looks{
    Look{"pages and indexes", "PRAGMA integrity_check",
         [](const Statement& row) { return row.text(0) == "ok" ? std::string() : "the file is damaged: " + row.text(0); }},
    Look{"references", "PRAGMA foreign_key_check",
         [](const Statement& row) { return "a row of " + row.text(0) + " refers to a row of " + row.text(2) + " that is not there"; }},
};

// Figures of an account are of its requests up to `rolled_to`; those after it have not been taken in yet.
const std::array ledger_looks{
    Look{"the tree of accounts", R"sql(
SELECT a.id, a.name, a.dna FROM accounts a LEFT JOIN accounts p ON p.id = a.parent_id
  WHERE a.dna <> COALESCE(p.dna, '.') || a.id || '.' OR a.level <> COALESCE(p.level + 1, 0) OR (a.parent_id <> 0 AND p.id IS NULL))sql",
         [](const Statement& row) { return account(row) + " with dna '" + row.text(2) + "' does not stand below its parent"; }},
    Look{"children", R"sql(
SELECT id, name, children, counted FROM (SELECT a.id, a.name, a.children, COALESCE(c.counted, 0) AS counted FROM accounts a
  LEFT JOIN (SELECT parent_id, COUNT(*) AS counted FROM accounts WHERE name IS NOT NULL GROUP BY parent_id) c ON c.parent_id = a.id)
  WHERE children <> counted)sql",
         [](const Statement& row) { return account(row) + ": it has " + row.text(3) + " children, but counts " + row.text(2); }},
    Look{"cards", R"sql(
SELECT a.id, a.name, c.id, c.balance FROM cards c JOIN accounts a ON a.id = c.account_id WHERE c.balance < 0 OR c.amount < c.balance
  UNION ALL SELECT id, name, 0, overdraft FROM accounts WHERE overdraft < 0)sql",
         [](const Statement& row) {
           if (row.integer(2) == 0) return account(row) + ": what it owes is negative, " + money(row, 3);
           return account(row) + ": its card " + row.text(2) + " has an impossible balance of " + money(row, 3);
         }},
    Look{"rows without an owner", R"sql(
SELECT 'transfer', t.id, 'account ' || t.from_account FROM transfers t WHERE from_account NOT BETWEEN -5 AND -1 AND NOT EXISTS (SELECT 1 FROM accounts WHERE id = t.from_account)
  UNION ALL SELECT 'transfer', t.id, 'account ' || t.to_account FROM transfers t WHERE to_account NOT BETWEEN -5 AND -1 AND NOT EXISTS (SELECT 1 FROM accounts WHERE id = t.to_account)
  UNION ALL SELECT 'transfer', t.id, 'operation ' || t.operation FROM transfers t WHERE operation <> 0 AND NOT EXISTS (SELECT 1 FROM operations WHERE id = t.operation)
    AND operation > COALESCE((SELECT value FROM marks WHERE name = 'operations forgotten'), 0)
  UNION ALL SELECT 'operation', o.id, 'account ' || o.target_id FROM operations o WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = o.target_id)
  UNION ALL SELECT 'operation', o.id, 'account ' || o.actor_id FROM operations o WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = o.actor_id)
  UNION ALL SELECT 'the answer to', a.key, 'account ' || a.caller FROM answers a WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = a.caller)
  UNION ALL SELECT 'day', d.day, 'account ' || d.account_id FROM days d WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = d.account_id)
  UNION ALL SELECT 'day', d.day, 'word ' || d.model FROM days d WHERE model <> 0 AND NOT EXISTS (SELECT 1 FROM words WHERE id = d.model)
  UNION ALL SELECT 'the sum of forgotten requests of', f.account_id, 'account ' || f.account_id FROM forgotten f WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = f.account_id)
  UNION ALL SELECT 'request', r.id, 'account ' || r.account_id FROM requests r WHERE NOT EXISTS (SELECT 1 FROM accounts WHERE id = r.account_id)
  UNION ALL SELECT 'request', r.id, 'word ' || r.model FROM requests r WHERE model <> 0 AND NOT EXISTS (SELECT 1 FROM words WHERE id = r.model)
  UNION ALL SELECT 'request', r.id, 'word ' || r.path FROM requests r WHERE path <> 0 AND NOT EXISTS (SELECT 1 FROM words WHERE id = r.path))sql",
         lost},
    Look{"balances", R"sql(
WITH moved AS MATERIALIZED (SELECT account, SUM(amount) AS amount FROM (
  SELECT to_account AS account, amount FROM transfers UNION ALL SELECT from_account, -amount FROM transfers
  UNION ALL SELECT account_id, -cost FROM days) GROUP BY account)
SELECT id, name, has, amount FROM (
  SELECT a.id, a.name, (SELECT COALESCE(SUM(balance), 0) FROM cards WHERE account_id = a.id) - a.overdraft AS has, COALESCE(m.amount, 0) AS amount
    FROM accounts a LEFT JOIN moved m ON m.account = a.id) WHERE has <> amount)sql",
         [](const Statement& row) {
           return account(row) + ": its cards less what it owes are " + money(row, 2) + ", but its entries sum to " + money(row, 3);
         }},
    Look{"what accounts have used", R"sql(
SELECT id, name, credit_used, cost, told, counted FROM (
  SELECT a.id, a.name, a.credit_used, COALESCE(SUM(d.cost), 0) AS cost, a.requests AS told, COALESCE(SUM(d.requests), 0) AS counted
    FROM accounts a LEFT JOIN days d ON d.account_id = a.id GROUP BY a.id) WHERE credit_used <> cost OR told <> counted)sql",
         [](const Statement& row) {
           return account(row) + ": it has used " + money(row, 2) + " in " + row.text(4) + " requests, but its days sum to " + money(row, 3) +
                  " in " + row.text(5);
         }},
    Look{"what accounts have used in their month", R"sql(
SELECT id, name, month_used, cost, month FROM (
  SELECT a.id, a.name, a.month_used, a.month, COALESCE(SUM(d.cost), 0) AS cost
    FROM accounts a LEFT JOIN days d ON d.account_id = a.id AND d.day BETWEEN a.month * 100 AND a.month * 100 + 99 GROUP BY a.id)
  WHERE month_used <> cost)sql",
         [](const Statement& row) {
           return account(row) + ": in month " + row.text(4) + " it has used " + money(row, 2) + ", but the days of the month sum to " + money(row, 3);
         }},
    Look{"days", R"sql(
WITH days_of AS MATERIALIZED (SELECT account_id AS account, SUM(requests) AS requests, SUM(cost) AS cost FROM days GROUP BY account_id),
  kept AS MATERIALIZED (SELECT r.account_id AS account, COUNT(*) AS requests, SUM(r.cost) AS cost
    FROM requests r NOT INDEXED CROSS JOIN accounts a ON a.id = r.account_id WHERE r.id <= a.rolled_to GROUP BY r.account_id)
SELECT id, name, day_requests, day_cost, requests, cost FROM (
  SELECT a.id, a.name, COALESCE(d.requests, 0) AS day_requests, COALESCE(d.cost, 0) AS day_cost,
      COALESCE(k.requests, 0) + COALESCE(f.requests, 0) AS requests, COALESCE(k.cost, 0) + COALESCE(f.cost, 0) AS cost
    FROM accounts a LEFT JOIN days_of d ON d.account = a.id LEFT JOIN kept k ON k.account = a.id LEFT JOIN forgotten f ON f.account_id = a.id)
  WHERE day_requests <> requests OR day_cost <> cost)sql",
         [](const Statement& row) {
           return account(row) + ": its days are of " + row.text(2) + " requests for " + money(row, 3) + ", but its requests are " + row.text(4) +
                  " for " + money(row, 5);
         }},
    Look{"requests by account", R"sql(
SELECT l.account_id, a.name, l.id, 1 FROM account_requests l LEFT JOIN accounts a ON a.id = l.account_id
  WHERE l.id > COALESCE(a.rolled_to, 0) OR NOT EXISTS (SELECT 1 FROM requests r WHERE r.id = l.id AND r.account_id = l.account_id AND r.model = l.model)
UNION ALL SELECT a.id, a.name, r.id, 0 FROM requests r CROSS JOIN accounts a ON a.id = r.account_id
  WHERE r.id <= a.rolled_to AND NOT EXISTS (SELECT 1 FROM account_requests l WHERE l.account_id = r.account_id AND l.id = r.id AND l.model = r.model))sql",
         [](const Statement& row) {
           const bool is_listed = row.integer(3) != 0;
           return account(row) + ": its requests " + (is_listed ? "list " : "do not list ") + row.text(2) + ", which " +
                  (is_listed ? "it has not taken in" : "it has taken in");
         }},
    Look{"requests that count as taken in", R"sql(
SELECT a.id, a.name, SUM(r.cost) FROM requests r CROSS JOIN accounts a ON a.id = r.account_id
  WHERE r.id > a.rolled_to AND (a.name IS NULL OR r.id <= (SELECT value FROM marks WHERE name = 'rolled up'))
  GROUP BY a.id HAVING SUM(r.cost) > 0 OR a.name IS NOT NULL)sql",
         [](const Statement& row) { return account(row) + ": it was not charged " + money(row, 2) + " for its last requests"; }},
    Look{"the sum of all entries", "SELECT SUM(amount) FROM entries HAVING SUM(amount) <> 0",
         [](const Statement& row) { return "all entries sum to " + money(row, 0) + ", which should be nothing"; }},
};

void look(Database& database, const Look& wanted, std::vector<std::string>& faults) {
  std::size_t found = 0;
  try {
    Statement row = database.prepare(wanted.sql);
    while (row.step()) {
      std::string fault = wanted.tell(row);
      if (fault.empty()) continue;
      if (found < most_told) faults.push_back(std::move(fault));
      ++found;
    }
  } catch (const StorageError& error) {
    faults.push_back(std::string(wanted.at) + ": " + error.what());
  }
  if (found > most_told) faults.push_back(std::string(wanted.at) + ": " + std::to_string(found - most_told) + " more of the kind");
}

/// What works by itself when rows are changed or read, and is none of this program's.
void find_intruders(Database& database, std::vector<std::string>& faults) {
  Statement row = database.prepare("SELECT type, name FROM sqlite_schema WHERE type = 'trigger' OR (type = 'view' AND name <> 'entries')");
  while (row.step()) faults.push_back("it has a " + row.text(0) + " '" + row.text(1) + "', which this program never makes");
}

/// Its tables with their columns, and how its indexes and views were made.
std::string shape_of(Database& database) {
  std::string shape;
  Statement row = database.prepare(R"sql(
SELECT type || ' ' || name || ' ' || CASE type WHEN 'table' THEN
    (SELECT group_concat(p.name || ' ' || p.type || ' ' || p."notnull" || ' ' || p.pk) FROM pragma_table_xinfo(m.name) p) ELSE sql END
  FROM sqlite_schema m WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name)sql");
  while (row.step()) shape += row.text(0) + "\n";
  return shape;
}

/// The file may be whole and yet not be what this program works with.
void compare_shape(Database& database, std::vector<std::string>& faults) {
  Database fresh(":memory:", Database::Mode::read_write);
  migrate(fresh, ":memory:");
  std::string shape;
  try {
    shape = shape_of(database);
  } catch (const StorageError&) {
    // What is wrong with it is found below.
  }
  if (shape != shape_of(fresh)) faults.emplace_back("its tables are not those of its schema: something else has changed them");
}

}  // namespace

std::vector<std::string> check_database(const std::string& directory, const std::function<void(const CheckProgress&)>& progress) {
  return check_database_file(database_in(directory), progress);
}

std::vector<std::string> check_database_file(const std::string& file, const std::function<void(const CheckProgress&)>& progress) {
  Database database(file, Database::Mode::read_only);
  database.execute("PRAGMA cache_size = -100000");  // 100 MB: what is looked at hangs together
  // Everything is of one moment, whatever is written meanwhile.
  database.execute("BEGIN");
  std::vector<const Look*> looks;
  looks.reserve(file_looks.size());
  for (const Look& each : file_looks) looks.push_back(&each);
  const int stored = std::stoi(database.value_of("PRAGMA user_version"));
  if (stored > schema_version()) {
    throw Failure("'" + file + "' has schema " + std::to_string(stored) + ", made by a newer version of this program, which knows " +
                  std::to_string(schema_version()) + "; check it with that version");
  }
  const bool has_ledger = stored == schema_version();
  if (has_ledger) {
    for (const Look& each : ledger_looks) looks.push_back(&each);
  }
  std::vector<std::string> faults;
  find_intruders(database, faults);
  if (has_ledger) compare_shape(database, faults);
  // What follows reads them, and would go wherever they lead.
  if (!faults.empty()) return faults;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (progress) progress({looks[i]->at, i, looks.size()});
    look(database, *looks[i], faults);
  }
  return faults;
}

}  // namespace proxyxai
