#include "proxyxai/storage/sqlite_store.hpp"

#include "sqlite_transaction.hpp"

namespace proxyxai {
namespace {

// Kinds below 16 can be listed (objects/kinds.hpp) and are in the index; queries say so, or they could not use it.
constexpr std::string_view object_columns = "SELECT id, kind, owner, key_id, made, used_on, bytes, output, model FROM objects ";
/// Where there is none of that id, the next one: to read it takes as long, so that nobody can tell by the time whether there is one.
constexpr std::string_view object_or_next =
    "SELECT id, kind, owner, key_id, made, used_on, bytes, output, model FROM objects WHERE id >= ? ORDER BY id LIMIT 1";
constexpr std::string_view object_by_id = "SELECT id, kind, owner, key_id, made, used_on, bytes, output, model FROM objects WHERE id = ?";

ObjectRow read_object(const Statement& row) {
  ObjectRow object;
  object.id = row.text(0);
  object.kind = static_cast<std::uint8_t>(row.integer(1));
  object.owner = row.text(2);
  object.key = row.integer(3);
  object.made = row.integer(4);
  object.used_on = static_cast<std::int32_t>(row.integer(5));
  object.bytes = row.integer(6);
  object.output = row.integer(7);
  object.model = row.text(8);
  return object;
}

std::vector<ObjectRow> list(Database& database, const ObjectQuery& query) {
  const std::string end = end_of_subtree(query.of);
  static const std::string where = std::string(object_columns) + "WHERE kind = ?1 AND kind < 16 AND owner >= ?2 AND owner < ?3 ";
  static const std::string newest_first = where + "AND (?4 = 0 OR made < ?4) AND made > ?5 ORDER BY made DESC LIMIT ?6";
  static const std::string oldest_first = where + "AND made > ?4 AND (?5 = 0 OR made < ?5) ORDER BY made LIMIT ?6";
  Statement statement = database.prepare(query.ascending ? oldest_first : newest_first);
  statement.bind(std::int64_t{query.kind}).bind(std::string_view(query.of)).bind(std::string_view(end));
  statement.bind(query.after).bind(query.before).bind(static_cast<std::int64_t>(query.size));
  std::vector<ObjectRow> rows;
  while (statement.step()) rows.push_back(read_object(statement));
  return rows;
}

ObjectStore::Swept sweep(Database& database, const std::string& after, std::size_t most, const std::vector<std::int32_t>& oldest_day) {
  ObjectStore::Swept swept;
  std::vector<std::string> old;
  Statement statement = database.prepare("SELECT id, kind, used_on FROM objects WHERE id > ? ORDER BY id LIMIT ?");
  statement.bind(std::string_view(after)).bind(static_cast<std::int64_t>(most));
  while (statement.step()) {
    swept.last = statement.text(0);
    const auto kind = static_cast<std::size_t>(statement.integer(1));
    if (kind < oldest_day.size() && statement.integer(2) < oldest_day[kind]) old.push_back(swept.last);
  }
  for (const std::string& each : old) database.prepare("DELETE FROM objects WHERE id = ?").bind(std::string_view(each)).run();
  swept.deleted = old.size();
  return swept;
}

PendingBill read_pending(const Statement& row) {
  PendingBill bill;
  bill.id = row.text(0);
  bill.account_id = row.integer(1);
  bill.key = row.integer(2);
  bill.path = row.text(3);
  bill.endpoint = row.text(4);
  bill.model = row.text(5);
  bill.tier = row.text(6);
  bill.reserved = {row.integer(7)};
  bill.input = row.integer(8);
  bill.output = row.integer(9);
  bill.made = row.time(10).value_or(WallTime{});
  return bill;
}

}  // namespace

Task<std::vector<ObjectRow>> SqliteStore::find_objects(std::vector<std::string> ids) {
  auto job = [ids = std::move(ids)](Database& database) {
    std::vector<ObjectRow> rows;
    for (const std::string& each : ids) {
      Statement statement = database.prepare(object_or_next);
      statement.bind(std::string_view(each));
      if (!statement.step()) continue;
      ObjectRow row = read_object(statement);
      if (row.id == each) rows.push_back(std::move(row));
    }
    return rows;
  };
  co_return co_await searcher_->run(std::move(job));
}

Task<std::vector<ObjectRow>> SqliteStore::put_objects(std::vector<ObjectRow> rows) {
  auto job = [rows = std::move(rows)](Database& database) mutable {
    for (ObjectRow& each : rows) {
      Statement statement = database.prepare(
          "INSERT OR IGNORE INTO objects (id, kind, owner, key_id, made, used_on, bytes, output, model) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
      statement.bind(std::string_view(each.id)).bind(std::int64_t{each.kind}).bind(std::string_view(each.owner)).bind(each.key);
      statement.bind(each.made).bind(std::int64_t{each.used_on}).bind(each.bytes).bind(each.output).bind(std::string_view(each.model)).run();
      if (database.changes() > 0) continue;
      Statement known = database.prepare(object_by_id);
      known.bind(std::string_view(each.id));
      if (known.step()) each = read_object(known);
    }
    return rows;
  };
  co_return co_await writer_->run(std::move(job));
}

Task<bool> SqliteStore::forget_objects(std::vector<std::string> ids) {
  auto job = [ids = std::move(ids)](Database& database) {
    for (const std::string& each : ids) database.prepare("DELETE FROM objects WHERE id = ?").bind(std::string_view(each)).run();
    return true;
  };
  co_return co_await writer_->run(std::move(job));
}

Task<bool> SqliteStore::mark_used(std::vector<std::string> ids, std::int32_t day) {
  auto job = [ids = std::move(ids), day](Database& database) {
    for (const std::string& each : ids) {
      database.prepare("UPDATE objects SET used_on = ? WHERE id = ?").bind(std::int64_t{day}).bind(std::string_view(each)).run();
    }
    return true;
  };
  co_return co_await writer_->run(std::move(job));
}

Task<std::vector<ObjectRow>> SqliteStore::list_objects(ObjectQuery query) {
  auto job = [query = std::move(query)](Database& database) { return list(database, query); };
  co_return co_await lister_->run(std::move(job));
}

Task<std::int64_t> SqliteStore::newest_key(std::string owner) {
  auto job = [owner = std::move(owner)](Database& database) {
    Statement statement = database.prepare("SELECT key_id FROM objects WHERE owner = ? AND kind < 16 AND kind < 9 ORDER BY made DESC LIMIT 1");
    statement.bind(std::string_view(owner));
    return statement.step() ? statement.integer(0) : std::int64_t{0};
  };
  co_return co_await searcher_->run(std::move(job));
}

Task<ObjectStore::Swept> SqliteStore::sweep_objects(std::string after, std::size_t most, std::vector<std::int32_t> oldest_day) {
  auto job = [after = std::move(after), most, oldest_day = std::move(oldest_day)](Database& database) {
    return sweep(database, after, most, oldest_day);
  };
  co_return co_await writer_->run(std::move(job));
}

Task<bool> SqliteStore::put_pending(PendingBill bill) {
  auto job = [bill = std::move(bill)](Database& database) {
    Statement statement = database.prepare(
        "INSERT OR REPLACE INTO pending_bills (id, account_id, key_id, path, endpoint, model, tier, reserved, input, output, made) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    statement.bind(std::string_view(bill.id)).bind(bill.account_id).bind(bill.key).bind(std::string_view(bill.path));
    statement.bind(std::string_view(bill.endpoint)).bind(std::string_view(bill.model)).bind(std::string_view(bill.tier));
    statement.bind(bill.reserved.nanos).bind(bill.input).bind(bill.output).bind(to_unix_ms(bill.made)).run();
    return true;
  };
  co_return co_await writer_->run(std::move(job));
}

Task<std::vector<PendingBill>> SqliteStore::load_pending() {
  co_return co_await finder_->run([](Database& database) {
    std::vector<PendingBill> bills;
    Statement statement = database.prepare(
        "SELECT id, account_id, key_id, path, endpoint, model, tier, reserved, input, output, made FROM pending_bills ORDER BY made");
    while (statement.step()) bills.push_back(read_pending(statement));
    return bills;
  });
}

}  // namespace proxyxai
