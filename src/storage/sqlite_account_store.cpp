#include <algorithm>
#include <map>

#include "proxyxai/storage/sqlite_store.hpp"
#include "sqlite_transaction.hpp"

namespace proxyxai {
namespace {

/// Up to this many accounts, the newest requests of each are merged; beyond, all requests are gone through from the newest,
/// for then most of them belong.
constexpr std::size_t most_merged = 2'000;
/// Up to this many accounts are looked up one by one; beyond, everything is gone through.
constexpr std::size_t most_sorted = 20'000;
constexpr std::size_t most_accounts = 100'000'000;
constexpr std::size_t most_in_bill = 1'000;
constexpr std::int64_t all_ids = INT64_MAX;

constexpr std::string_view request_columns =
    "SELECT r.id, r.account_id, r.status, r.attempts, r.key_id, r.input, r.cached, r.output, r.cost, r.list_cost, r.duration_ms, "
    "r.first_byte_ms, r.flags, r.request_id, COALESCE(m.text, ''), COALESCE(p.text, ''), COALESCE(a.name, '') ";

ShownRequest read_request(const Statement& row) {
  ShownRequest shown;
  UsageRow& usage = shown.row;
  usage.id = row.integer(0);
  usage.account_id = row.integer(1);
  usage.status = static_cast<int>(row.integer(2));
  usage.attempts = static_cast<int>(row.integer(3));
  usage.key_id = row.integer(4);
  usage.input = row.integer(5);
  usage.cached = row.integer(6);
  usage.output = row.integer(7);
  usage.cost = {row.integer(8)};
  usage.list_cost = {row.integer(9)};
  usage.duration_ms = row.integer(10);
  usage.first_byte_ms = row.integer(11);
  usage.stream = (row.integer(12) & 1) != 0;
  usage.estimated = (row.integer(12) & 2) != 0;
  usage.request_id = row.text(13);
  shown.model = row.text(14);
  shown.path = row.text(15);
  shown.account = row.text(16);
  return shown;
}

/// The ids in the subtree of `dna`, at most `most`.
std::vector<AccountId> subtree(Database& database, const std::string& dna, std::size_t most) {
  Statement statement = database.prepare("SELECT id FROM accounts WHERE dna >= ? AND dna < ? LIMIT ?");
  const std::string end = end_of_subtree(dna);
  statement.bind(std::string_view(dna)).bind(std::string_view(end)).bind(static_cast<std::int64_t>(most));
  std::vector<AccountId> ids;
  while (statement.step()) ids.push_back(statement.integer(0));
  return ids;
}

std::optional<std::int64_t> word_id(Database& database, std::string_view text) {
  Statement statement = database.prepare("SELECT id FROM words WHERE text = ?");
  statement.bind(text);
  if (!statement.step()) return std::nullopt;
  return statement.integer(0);
}

std::vector<ShownRequest> merged(Database& database, const std::vector<AccountId>& accounts, const RequestQuery& query,
                                 std::int64_t before, std::int64_t model) {
  std::vector<std::int64_t> ids;
  const std::int64_t wanted = query.offset + query.size;
  for (const AccountId each : accounts) {
    Statement statement = database.prepare(
        model == 0 ? "SELECT id FROM account_requests WHERE account_id = ? AND id >= ? AND id < ? ORDER BY id DESC LIMIT ?"
                   : "SELECT id FROM account_requests WHERE account_id = ? AND id >= ? AND id < ? AND model = ? ORDER BY id DESC LIMIT ?");
    statement.bind(each).bind(query.from).bind(before);
    if (model != 0) statement.bind(model);
    statement.bind(wanted);
    while (statement.step()) ids.push_back(statement.integer(0));
  }
  std::sort(ids.begin(), ids.end(), std::greater<>());
  std::vector<ShownRequest> rows;
  static const std::string sql = std::string(request_columns) +
                                 "FROM requests r LEFT JOIN words m ON m.id = r.model LEFT JOIN words p ON p.id = r.path "
                                 "LEFT JOIN accounts a ON a.id = r.account_id WHERE r.id = ?";
  for (auto i = static_cast<std::size_t>(query.offset); i < ids.size() && rows.size() < static_cast<std::size_t>(query.size); ++i) {
    Statement statement = database.prepare(sql);
    statement.bind(ids[i]);
    if (statement.step()) rows.push_back(read_request(statement));
  }
  return rows;
}

std::vector<ShownRequest> scanned(Database& database, const RequestQuery& query, std::int64_t before, std::int64_t model) {
  // CROSS JOIN keeps the order: from the newest request on, with a look at whose it is.
  static const std::string sql = std::string(request_columns) +
                                 "FROM requests r CROSS JOIN accounts a ON a.id = r.account_id LEFT JOIN words m ON m.id = r.model "
                                 "LEFT JOIN words p ON p.id = r.path WHERE r.id >= ?1 AND r.id < ?2 AND a.dna >= ?3 AND a.dna < ?4 "
                                 "AND (?5 = 0 OR r.model = ?5) ORDER BY r.id DESC LIMIT ?6 OFFSET ?7";
  Statement statement = database.prepare(sql);
  const std::string end = end_of_subtree(query.of.dna);
  statement.bind(query.from).bind(before).bind(std::string_view(query.of.dna)).bind(std::string_view(end)).bind(model);
  statement.bind(query.size).bind(query.offset);
  std::vector<ShownRequest> rows;
  while (statement.step()) rows.push_back(read_request(statement));
  return rows;
}

std::vector<AccountRow> lineage(Database& database, std::optional<AccountRow> account) {
  std::vector<AccountRow> rows;
  SqliteTransaction reader(database);
  while (account) {
    const AccountId parent = account->parent_id;
    rows.push_back(std::move(*account));
    account = parent == 0 ? std::nullopt : reader.account(parent);
  }
  std::reverse(rows.begin(), rows.end());
  return rows;
}

bool names_some(const AccountQuery& query) { return query.id || !query.name.empty() || !query.email.empty(); }

/// The ids that a query asks for. Those of one id, name or e-mail are few, wherever they stand; others are gone through by parent
/// or by dna, and of a large subtree from the newest account on, for then most of them belong.
std::string accounts_sql(Database& database, const AccountQuery& query) {
  const bool is_large = query.descendants && !names_some(query) && subtree(database, query.of.dna, most_sorted + 1).size() > most_sorted;
  // The plus keeps the index of a column from being used.
  const std::string plus = names_some(query) || is_large ? "+" : "";
  std::string sql = "SELECT a.id FROM accounts a WHERE ";
  // The account itself has the first dna of its range.
  sql += query.descendants ? plus + "a.dna > ? AND " + plus + "a.dna < ?" : plus + "a.parent_id = ?";
  if (query.id) sql += " AND a.id = ?";
  if (!query.name.empty()) sql += " AND a.name = ?";
  if (!query.email.empty()) sql += " AND a.email = ?";
  return sql + " AND a.name IS NOT NULL ORDER BY a.id DESC LIMIT ? OFFSET ?";
}

std::vector<AccountRow> read_accounts(Database& database, const AccountQuery& query) {
  const std::string sql = select_account("accounts a WHERE a.id IN (" + accounts_sql(database, query) + ") ORDER BY a.id DESC");
  Statement statement = database.prepare(sql);
  const std::string end = end_of_subtree(query.of.dna);
  if (query.descendants) statement.bind(std::string_view(query.of.dna)).bind(std::string_view(end));
  else statement.bind(query.of.id);
  if (query.id) statement.bind(*query.id);
  if (!query.name.empty()) statement.bind(std::string_view(query.name));
  if (!query.email.empty()) statement.bind(std::string_view(query.email));
  statement.bind(query.size).bind(query.offset);
  std::vector<AccountRow> rows;
  while (statement.step()) rows.push_back(read_account(statement));
  return rows;
}

/// The days of a bill, those of each account together.
std::string days_sql(const BillQuery& query, bool is_large) {
  std::string sql = "SELECT d.account_id, d.day, d.model, d.requests, d.input, d.cached, d.output, d.cost FROM ";
  if (is_large) return sql + "days d WHERE d.day BETWEEN ? AND ? ORDER BY d.account_id";
  // Of a single user that may be anywhere: its place is only looked at.
  const std::string plus = query.user ? "+" : "";
  sql += "accounts a CROSS JOIN days d ON d.account_id = a.id WHERE " + plus + "a.dna >= ? AND " + plus + "a.dna < ? AND d.day BETWEEN ? AND ?";
  return query.user ? sql + " AND a.id = ?" : sql;
}

/// Adds up the days of a bill.
class BillSums {
 public:
  void add(const Statement& row) {
    const AccountId id = row.integer(0);
    DayRow& sum = days_[{row.integer(1), row.integer(2)}];
    sum.requests += row.integer(3);
    sum.input += row.integer(4);
    sum.cached += row.integer(5);
    sum.output += row.integer(6);
    sum.cost += Money{row.integer(7)};
    if (accounts_.empty() || accounts_.back().id != id) accounts_.push_back({id, 0, {}});
    accounts_.back().requests += row.integer(3);
    accounts_.back().cost += Money{row.integer(7)};
  }

  Bill finish(Database& database) {
    Bill bill;
    for (auto& [key, sum] : days_) {
      sum.day = static_cast<std::int32_t>(key.first);
      sum.model = key.second;
      Statement word = database.prepare("SELECT text FROM words WHERE id = ?");
      word.bind(sum.model);
      if (word.step()) sum.model_name = word.text(0);
      bill.days.push_back(std::move(sum));
    }
    const auto end = accounts_.begin() + static_cast<std::ptrdiff_t>(std::min(accounts_.size(), most_in_bill));
    std::partial_sort(accounts_.begin(), end, accounts_.end(), [](const AccountSum& a, const AccountSum& b) {
      return a.cost != b.cost ? a.cost > b.cost : a.id < b.id;
    });
    for (auto each = accounts_.begin(); each != end; ++each) {
      Statement account = database.prepare("SELECT name, email FROM accounts WHERE id = ?");
      account.bind(each->id);
      if (account.step()) bill.accounts.push_back({each->id, account.text(0), account.text(1), each->requests, each->cost});
    }
    return bill;
  }

 private:
  std::map<std::pair<std::int64_t, std::int64_t>, DayRow> days_;  // by day and model
  /// There may be a million of them.
  struct AccountSum {
    AccountId id;
    std::int64_t requests;
    Money cost;
  };
  std::vector<AccountSum> accounts_;
};

Bill read_bill(Database& database, const BillQuery& query) {
  std::vector<AccountId> accounts;
  if (!query.user) accounts = subtree(database, query.of.dna, most_sorted + 1);
  const bool is_large = accounts.size() > most_sorted;
  std::vector<bool> belongs;  // by id
  if (is_large) {
    for (const AccountId each : subtree(database, query.of.dna, most_accounts)) {
      if (belongs.size() <= static_cast<std::size_t>(each)) belongs.resize(static_cast<std::size_t>(each) + 1);
      belongs[static_cast<std::size_t>(each)] = true;
    }
  }
  Statement row = database.prepare(days_sql(query, is_large));
  const std::string end = end_of_subtree(query.of.dna);
  if (!is_large) row.bind(std::string_view(query.of.dna)).bind(std::string_view(end));
  row.bind(std::int64_t{query.from}).bind(std::int64_t{query.to});
  if (query.user) row.bind(*query.user);
  BillSums sums;
  while (row.step()) {
    const auto id = static_cast<std::size_t>(row.integer(0));
    if (!is_large || (id < belongs.size() && belongs[id])) sums.add(row);
  }
  return sums.finish(database);
}

}  // namespace

Task<std::vector<AccountRow>> SqliteStore::find_lineage(Digest key_digest) {
  co_return co_await finder_->run([key_digest](Database& database) {
    static const std::string sql = select_account("accounts a WHERE a.key_digest = ?");
    std::optional<AccountRow> found;
    {
      Statement statement = database.prepare(sql);
      statement.bind(key_digest);
      if (statement.step()) found = read_account(statement);
    }
    return lineage(database, std::move(found));
  });
}

Task<std::vector<AccountRow>> SqliteStore::find_lineage(AccountId id) {
  co_return co_await finder_->run([id](Database& database) { return lineage(database, SqliteTransaction(database).account(id)); });
}

Task<std::optional<AccountRow>> SqliteStore::find_by_name(std::string name) {
  auto job = [name = std::move(name)](Database& database) { return SqliteTransaction(database).account_named(name); };
  co_return co_await finder_->run(std::move(job));
}

Task<AccountRow> SqliteStore::put_account(AccountRow row) {
  auto job = [row = std::move(row)](Database& database) mutable {
    SqliteTransaction transaction(database);
    if (auto stored = transaction.account_named(row.name)) {
      stored->email = row.email;
      stored->key_digest = row.key_digest;
      stored->partial = row.partial;
      stored->updated_at = row.created_at;
      transaction.update(*stored);
    } else {
      row.updated_at = row.created_at;
      transaction.insert(row);
    }
    return transaction.account_named(row.name).value();
  };
  co_return co_await writer_->run(std::move(job));
}

Task<bool> SqliteStore::transact(std::function<void(AccountTransaction&)> work) {
  auto job = [work = std::move(work)](Database& database) {
    SqliteTransaction transaction(database);
    work(transaction);
    return true;
  };
  co_return co_await writer_->run(std::move(job));
}

Task<std::int64_t> SqliteStore::word(std::string text) {
  auto job = [text = std::move(text)](Database& database) {
    database.prepare("INSERT INTO words (text) VALUES (?) ON CONFLICT (text) DO NOTHING").bind(std::string_view(text)).run();
    return word_id(database, text).value();
  };
  co_return co_await writer_->run(std::move(job));
}

Task<std::vector<AccountRow>> SqliteStore::list_accounts(AccountQuery query) {
  DatabaseWorker& reader = names_some(query) ? *finder_ : *lister_;
  auto job = [query = std::move(query)](Database& database) { return read_accounts(database, query); };
  co_return co_await reader.run(std::move(job));
}

Task<std::vector<CardRow>> SqliteStore::list_cards(AccountId account) {
  co_return co_await finder_->run([account](Database& database) { return read_cards(database, account); });
}

Task<std::vector<ShownRequest>> SqliteStore::list_requests(RequestQuery query) {
  auto job = [query = std::move(query)](Database& database) {
    std::int64_t model = 0;
    if (!query.model.empty()) {
      const auto known = word_id(database, query.model);
      if (!known) return std::vector<ShownRequest>();
      model = *known;
    }
    const std::int64_t before = query.before == 0 ? all_ids : query.before;
    std::vector<AccountId> accounts;
    if (query.user) accounts = {*query.user};
    else accounts = subtree(database, query.of.dna, most_merged + 1);
    return accounts.size() > most_merged ? scanned(database, query, before, model) : merged(database, accounts, query, before, model);
  };
  co_return co_await lister_->run(std::move(job));
}

Task<Bill> SqliteStore::bill(BillQuery query) {
  DatabaseWorker& reader = query.user ? *finder_ : *lister_;
  auto job = [query = std::move(query)](Database& database) { return read_bill(database, query); };
  co_return co_await reader.run(std::move(job));
}

Task<std::vector<OperationRow>> SqliteStore::list_operations(OperationQuery query) {
  auto job = [query = std::move(query)](Database& database) {
    Statement statement = database.prepare(
        "SELECT id, at, actor_id, target_id, action, details FROM operations WHERE actor_id = ?1 AND (?2 = '' OR action = ?2) "
        "AND (?3 = 0 OR target_id = ?3) UNION SELECT id, at, actor_id, target_id, action, details FROM operations WHERE target_id = ?1 "
        "AND (?2 = '' OR action = ?2) AND (?3 = 0 OR target_id = ?3) ORDER BY id DESC LIMIT ?4 OFFSET ?5");
    statement.bind(query.account).bind(std::string_view(query.action)).bind(query.target.value_or(0)).bind(query.size).bind(query.offset);
    std::vector<OperationRow> rows;
    while (statement.step()) {
      OperationRow row;
      row.id = statement.integer(0);
      row.at = from_unix_ms(statement.integer(1));
      row.actor_id = statement.integer(2);
      row.target_id = statement.integer(3);
      row.action = statement.text(4);
      row.details = statement.text(5);
      rows.push_back(std::move(row));
    }
    return rows;
  };
  co_return co_await lister_->run(std::move(job));
}

}  // namespace proxyxai
