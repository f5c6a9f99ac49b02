#include "sqlite_transaction.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

std::vector<AccountId> read_ids(Statement& statement) {
  std::vector<AccountId> ids;
  while (statement.step()) ids.push_back(statement.integer(0));
  return ids;
}

std::optional<AccountRow> read_one(Statement& statement) {
  if (!statement.step()) return std::nullopt;
  return read_account(statement);
}

/// Binds the columns that an account can change, in the order of `changeable`.
void bind_changeable(Statement& statement, const AccountRow& row) {
  statement.bind(std::string_view(row.name)).bind(std::string_view(row.alias)).bind(std::string_view(row.email));
  statement.bind(std::string_view(row.billing_email)).bind(row.key_digest).bind(std::string_view(row.partial));
  statement.bind(std::int64_t{row.is_root ? 1 : 0}).bind(std::int64_t{row.enabled ? 1 : 0}).bind(row.rates);
  statement.bind(row.hard_limit.nanos).bind(row.soft_limit.nanos);
  const RateLimits& limits = row.limits;
  statement.bind(limits.rpm).bind(limits.rph).bind(limits.rpd).bind(limits.tpm).bind(limits.tph).bind(limits.tpd);
  statement.bind(limits.concurrency).bind(row.child_limit);
  statement.bind(std::string_view(row.allow_ips)).bind(std::string_view(row.allow_models)).bind(std::string_view(row.resources));
  statement.bind(std::string_view(row.model_limits)).bind(std::int64_t{row.drains_aborted ? 1 : 0}).bind(to_unix_ms(row.updated_at));
  statement.bind(row.overdraft.nanos).bind(row.credit_granted.nanos).bind(row.credit_used.nanos).bind(row.requests);
  statement.bind(std::int64_t{row.month}).bind(row.month_used.nanos).bind(row.rolled_to);
}

constexpr int most_picked_out = 3;

/// Of a row that begins with id, account, model, input, cached, output and cost. Added up here: SQLite would ask for the day of each row and sort them all.
void add_usage(UsageSum& sum, const Statement& row, LocalDays& calendar) {
  UsageRow usage;
  usage.id = row.integer(0);
  usage.account_id = row.integer(1);
  usage.model = row.integer(2);
  usage.input = row.integer(3);
  usage.cached = row.integer(4);
  usage.output = row.integer(5);
  usage.cost = {row.integer(6)};
  sum.add(usage, calendar.day_of(time_of_request(usage.id)));
}

}  // namespace

std::string select_account(std::string_view rest) {
  return "SELECT a.id, a.parent_id, a.level, a.dna, a.name, a.alias, a.email, a.billing_email, a.key_digest, a.partial, a.is_root, "
         "a.enabled, a.rates, a.hard_limit, a.soft_limit, a.rpm, a.rph, a.rpd, a.tpm, a.tph, a.tpd, a.concurrency, a.child_limit, "
         "a.allow_ips, a.allow_models, a.resources, a.model_limits, a.drains_aborted, a.updated_at, a.overdraft, a.credit_granted, "
         "a.credit_used, a.requests, a.month, a.month_used, a.rolled_to, a.created_at, "
         "(SELECT COALESCE(SUM(balance), 0) FROM cards WHERE account_id = a.id), a.children FROM " +
         std::string(rest);
}

AccountRow read_account(const Statement& row) {
  AccountRow account;
  int column = 0;
  const auto integer = [&] { return row.integer(column++); };
  const auto text = [&] { return row.text(column++); };
  account.id = integer();
  account.parent_id = integer();
  account.level = static_cast<int>(integer());
  account.dna = text();
  account.name = text();
  account.alias = text();
  account.email = text();
  account.billing_email = text();
  account.key_digest = row.digest(column++);
  account.partial = text();
  account.is_root = integer() != 0;
  account.enabled = integer() != 0;
  account.rates = integer();
  account.hard_limit = {integer()};
  account.soft_limit = {integer()};
  RateLimits& limits = account.limits;
  for (std::int64_t* const each : {&limits.rpm, &limits.rph, &limits.rpd, &limits.tpm, &limits.tph, &limits.tpd, &limits.concurrency}) {
    *each = integer();
  }
  account.child_limit = integer();
  account.allow_ips = text();
  account.allow_models = text();
  account.resources = text();
  account.model_limits = text();
  account.drains_aborted = integer() != 0;
  account.updated_at = from_unix_ms(integer());
  account.overdraft = {integer()};
  account.credit_granted = {integer()};
  account.credit_used = {integer()};
  account.requests = integer();
  account.month = static_cast<std::int32_t>(integer());
  account.month_used = {integer()};
  account.rolled_to = integer();
  account.created_at = from_unix_ms(integer());
  account.cards = {integer()};
  account.children = integer();
  return account;
}

std::vector<CardRow> read_cards(Statement& statement) {
  std::vector<CardRow> cards;
  while (statement.step()) {
    CardRow card;
    card.id = statement.integer(0);
    card.account_id = statement.integer(1);
    card.amount = {statement.integer(2)};
    card.balance = {statement.integer(3)};
    card.granted_at = from_unix_ms(statement.integer(4));
    card.expires_at = from_unix_ms(statement.integer(5));
    card.reference = statement.text(6);
    cards.push_back(std::move(card));
  }
  return cards;
}

std::vector<CardRow> read_cards(Database& database, AccountId account) {
  Statement statement = database.prepare(
      "SELECT id, account_id, amount, balance, granted_at, expires_at, reference FROM cards WHERE account_id = ? ORDER BY expires_at, id");
  statement.bind(account);
  return read_cards(statement);
}

std::string end_of_subtree(const std::string& dna) {
  std::string end = dna;
  end.back() = '.' + 1;
  return end;
}

std::optional<AccountRow> SqliteTransaction::account(AccountId id) {
  static const std::string sql = select_account("accounts a WHERE a.id = ? AND a.name IS NOT NULL");
  Statement statement = database_.prepare(sql);
  statement.bind(id);
  return read_one(statement);
}

std::optional<AccountRow> SqliteTransaction::account_named(std::string_view name) {
  static const std::string sql = select_account("accounts a WHERE a.name = ?");
  Statement statement = database_.prepare(sql);
  statement.bind(name);
  return read_one(statement);
}

std::optional<AccountRow> SqliteTransaction::account_mailed(std::string_view email) {
  static const std::string sql = select_account("accounts a WHERE a.email = ? LIMIT 1");
  Statement statement = database_.prepare(sql);
  statement.bind(email);
  return read_one(statement);
}

void SqliteTransaction::insert(AccountRow& row) {
  // The end of its dna is its id, which is not known yet.
  Statement put = database_.prepare(
      "INSERT INTO accounts (name, alias, email, billing_email, key_digest, partial, is_root, enabled, rates, hard_limit, soft_limit, "
      "rpm, rph, rpd, tpm, tph, tpd, concurrency, child_limit, allow_ips, allow_models, resources, model_limits, drains_aborted, "
      "updated_at, overdraft, credit_granted, credit_used, requests, month, month_used, rolled_to, created_at, parent_id, level, children, dna) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "0, 'new ' || hex(randomblob(8)))");
  bind_changeable(put, row);
  put.bind(to_unix_ms(row.created_at)).bind(row.parent_id).bind(std::int64_t{row.level}).run();
  row.id = database_.last_id();
  row.dna = (row.dna.empty() ? "." : row.dna) + std::to_string(row.id) + ".";
  database_.prepare("UPDATE accounts SET dna = ? WHERE id = ?").bind(std::string_view(row.dna)).bind(row.id).run();
  database_.prepare("UPDATE accounts SET children = children + 1 WHERE id = ?").bind(row.parent_id).run();
}

void SqliteTransaction::update(const AccountRow& row) {
  Statement put = database_.prepare(
      "UPDATE accounts SET name = ?, alias = ?, email = ?, billing_email = ?, key_digest = ?, partial = ?, is_root = ?, enabled = ?, "
      "rates = ?, hard_limit = ?, soft_limit = ?, rpm = ?, rph = ?, rpd = ?, tpm = ?, tph = ?, tpd = ?, concurrency = ?, "
      "child_limit = ?, allow_ips = ?, allow_models = ?, resources = ?, model_limits = ?, drains_aborted = ?, updated_at = ?, "
      "overdraft = ?, credit_granted = ?, credit_used = ?, requests = ?, month = ?, month_used = ?, rolled_to = ? WHERE id = ?");
  bind_changeable(put, row);
  put.bind(row.id).run();
}

void SqliteTransaction::remove(AccountId id, WallTime now) {
  database_.prepare("UPDATE accounts SET children = children - 1 WHERE id = (SELECT parent_id FROM accounts WHERE id = ? AND name IS NOT NULL)")
      .bind(id).run();
  database_.prepare("UPDATE accounts SET name = NULL, email = NULL, key_digest = NULL, alias = '', billing_email = '', enabled = 0, "
                    "updated_at = ? WHERE id = ?").bind(to_unix_ms(now)).bind(id).run();
}

std::optional<Rate> SqliteTransaction::lowest_child_rate(AccountId id) {
  Statement statement = database_.prepare("SELECT MIN(rates), COUNT(*) FROM accounts WHERE parent_id = ? AND name IS NOT NULL");
  statement.bind(id);
  if (!statement.step() || statement.integer(1) == 0) return std::nullopt;
  return statement.integer(0);
}

std::vector<CardRow> SqliteTransaction::cards(AccountId account) { return read_cards(database_, account); }

void SqliteTransaction::put_cards(AccountId account, std::vector<CardRow>& cards) {
  for (const CardRow& stored : read_cards(database_, account)) {
    const bool kept = std::any_of(cards.begin(), cards.end(), [&](const CardRow& each) { return each.id == stored.id; });
    if (!kept) database_.prepare("DELETE FROM cards WHERE id = ?").bind(stored.id).run();
  }
  for (CardRow& each : cards) {
    each.account_id = account;
    if (each.id == 0) {
      database_.prepare("INSERT INTO cards (account_id, amount, balance, granted_at, expires_at, reference) VALUES (?, ?, ?, ?, ?, ?)")
          .bind(account).bind(each.amount.nanos).bind(each.balance.nanos).bind(to_unix_ms(each.granted_at))
          .bind(to_unix_ms(each.expires_at)).bind(std::string_view(each.reference)).run();
      each.id = database_.last_id();
    } else {
      database_.prepare("UPDATE cards SET amount = ?, balance = ?, expires_at = ? WHERE id = ?")
          .bind(each.amount.nanos).bind(each.balance.nanos).bind(to_unix_ms(each.expires_at)).bind(each.id).run();
    }
  }
}

std::vector<AccountId> SqliteTransaction::with_expired_cards(WallTime now, std::size_t most) {
  Statement statement = database_.prepare("SELECT DISTINCT account_id FROM cards INDEXED BY cards_by_expiry WHERE expires_at <= ? LIMIT ?");
  statement.bind(to_unix_ms(now)).bind(static_cast<std::int64_t>(most));
  return read_ids(statement);
}

std::vector<CardRow> SqliteTransaction::cards_expiring(WallTime from, WallTime to, std::size_t most) {
  Statement statement = database_.prepare(
      "SELECT id, account_id, amount, balance, granted_at, expires_at, reference FROM cards WHERE expires_at > ? AND expires_at <= ? "
      "ORDER BY expires_at LIMIT ?");
  statement.bind(to_unix_ms(from)).bind(to_unix_ms(to)).bind(static_cast<std::int64_t>(most));
  return read_cards(statement);
}

void SqliteTransaction::add(const TransferRow& row) {
  database_.prepare("INSERT INTO transfers (at, kind, from_account, to_account, amount, operation) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(to_unix_ms(row.at)).bind(std::string_view(row.kind)).bind(row.from).bind(row.to).bind(row.amount.nanos)
      .bind(row.operation).run();
}

void SqliteTransaction::add(OperationRow& row) {
  database_.prepare("INSERT INTO operations (at, actor_id, target_id, action, details) VALUES (?, ?, ?, ?, ?)")
      .bind(to_unix_ms(row.at)).bind(row.actor_id).bind(row.target_id).bind(std::string_view(row.action))
      .bind(std::string_view(row.details)).run();
  row.id = database_.last_id();
}

std::size_t SqliteTransaction::forget_operations(WallTime before, std::size_t most) {
  // By id and not by time, so that no index of times is needed: they come in that order.
  static constexpr std::string_view old =
      "FROM operations WHERE at < ?1 AND id IN (SELECT id FROM operations ORDER BY id LIMIT ?2)";
  static const std::string find_last = "SELECT COALESCE(MAX(id), 0) " + std::string(old);
  static const std::string forget = "DELETE " + std::string(old);
  const auto limit = static_cast<std::int64_t>(most);
  Statement last = database_.prepare(find_last);
  last.bind(to_unix_ms(before)).bind(limit);
  const std::int64_t newest = last.step() ? last.integer(0) : 0;
  if (newest == 0) return 0;
  database_.prepare(forget).bind(to_unix_ms(before)).bind(limit).run();
  const auto count = static_cast<std::size_t>(database_.changes());
  // What movements name up to here need not be there any more: `check` looks at this.
  set_mark("operations forgotten", std::max(mark("operations forgotten"), newest));
  return count;
}

void SqliteTransaction::add(std::span<const UsageRow* const> rows) {
  static constexpr std::string_view sql =
      "INSERT INTO requests (id, account_id, model, path, status, attempts, key_id, input, cached, output, cost, list_cost, "
      "duration_ms, first_byte_ms, flags, request_id) SELECT n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, text "
      "FROM lent WHERE true ON CONFLICT (id) DO NOTHING";
  LentRows lent;
  lent.width = 15;
  lent.numbers.reserve(rows.size() * lent.width);
  lent.texts.reserve(rows.size());
  std::int64_t newest = last_request();
  for (const UsageRow* const row : rows) {
    // Without an id SQLite gives the one after the newest, and does not look for its place.
    const std::int64_t id = row->id == newest + 1 ? LentRows::null : row->id;
    newest = std::max(newest, row->id);
    const std::int64_t flags = (row->stream ? 1 : 0) | (row->estimated ? 2 : 0);
    lent.numbers.insert(lent.numbers.end(), {id, row->account_id, row->model, row->path, row->status, row->attempts, row->key_id, row->input, row->cached,
                                             row->output, row->cost.nanos, row->list_cost.nanos, row->duration_ms, row->first_byte_ms, flags});
    lent.texts.emplace_back(row->request_id);
  }
  database_.run(sql, lent);
  usages_.reset();
  for (const UsageRow* const row : rows) {
    if (row->settles_pending) database_.prepare("DELETE FROM pending_bills WHERE id = ?").bind(std::string_view(row->request_id)).run();
  }
}

UsageSum SqliteTransaction::usage_after(AccountId account, std::int64_t after) {
  UsageSum sum;
  sum.after = sum.last = after;
  // Who changes accounts asks for two or three, and has them picked out of the few requests there are; who asks for many, as a roll-up
  // does whose predecessor failed, has all put together at once.
  if (!usages_ && ++usages_asked_for_ > most_picked_out) usages_ = usage_not_rolled_up();
  if (usages_) {
    const auto found = usages_->find(account);
    // Another `after`: they have been taken in since.
    return found != usages_->end() && found->second.after == after ? found->second : sum;
  }
  Statement row = database_.prepare("SELECT id, account_id, model, input, cached, output, cost FROM requests WHERE id > ? AND account_id = ? ORDER BY id");
  row.bind(std::max(after, mark(rolled_up))).bind(account);
  LocalDays calendar;
  while (row.step()) add_usage(sum, row, calendar);
  return sum;
}

std::map<AccountId, UsageSum> SqliteTransaction::usage_not_rolled_up() {
  Statement row = database_.prepare(
      "SELECT r.id, r.account_id, r.model, r.input, r.cached, r.output, r.cost, a.rolled_to FROM requests r "
      "CROSS JOIN accounts a ON a.id = r.account_id WHERE r.id > ? AND r.id > a.rolled_to AND a.name IS NOT NULL ORDER BY r.id");
  row.bind(mark(rolled_up));
  std::map<AccountId, UsageSum> sums;
  LocalDays calendar;
  while (row.step()) {
    const auto [sum, is_new] = sums.try_emplace(row.integer(1));
    if (is_new) sum->second.after = row.integer(7);
    add_usage(sum->second, row, calendar);
  }
  return sums;
}

void SqliteTransaction::add_to_day(const DayRow& row) {
  database_.prepare("INSERT INTO days (account_id, day, model, requests, input, cached, output, cost) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (account_id, day, model) DO UPDATE SET requests = requests + excluded.requests, "
                    "input = input + excluded.input, cached = cached + excluded.cached, output = output + excluded.output, "
                    "cost = cost + excluded.cost")
      .bind(row.account_id).bind(std::int64_t{row.day}).bind(row.model).bind(row.requests).bind(row.input).bind(row.cached)
      .bind(row.output).bind(row.cost.nanos).run();
}

void SqliteTransaction::add_to_account(AccountId account, const std::vector<UsageSum::Request>& requests) {
  LentRows lent;
  lent.width = 3;
  lent.numbers.reserve(requests.size() * lent.width);
  for (const UsageSum::Request& each : requests) lent.numbers.insert(lent.numbers.end(), {account, each.id, each.model});
  database_.run("INSERT INTO account_requests (account_id, id, model) SELECT n0, n1, n2 FROM lent", lent);
}

std::int64_t SqliteTransaction::last_request() {
  Statement statement = database_.prepare("SELECT COALESCE(MAX(id), 0) FROM requests");
  return statement.step() ? statement.integer(0) : 0;
}

std::size_t SqliteTransaction::forget_requests(std::int64_t before, std::size_t most) {
  static const std::string old = "(SELECT r.id, r.account_id, r.cost FROM requests r JOIN accounts a ON a.id = r.account_id "
                                 "WHERE r.id < ?1 AND r.id <= a.rolled_to ORDER BY r.id LIMIT ?2)";
  static const std::string add_up =
      "INSERT INTO forgotten (account_id, requests, cost) SELECT account_id, COUNT(*), SUM(cost) FROM " + old + " WHERE true GROUP BY account_id "
      "ON CONFLICT (account_id) DO UPDATE SET requests = requests + excluded.requests, cost = cost + excluded.cost";
  static const std::string forget_of_account = "DELETE FROM account_requests WHERE (account_id, id) IN (SELECT account_id, id FROM " + old + ")";
  static const std::string forget = "DELETE FROM requests WHERE id IN (SELECT id FROM " + old + ")";
  const auto limit = static_cast<std::int64_t>(most);
  database_.prepare(add_up).bind(before).bind(limit).run();
  database_.prepare(forget_of_account).bind(before).bind(limit).run();
  database_.prepare(forget).bind(before).bind(limit).run();
  return static_cast<std::size_t>(database_.changes());
}

std::int64_t SqliteTransaction::mark(std::string_view name) {
  Statement statement = database_.prepare("SELECT value FROM marks WHERE name = ?");
  statement.bind(name);
  return statement.step() ? statement.integer(0) : 0;
}

void SqliteTransaction::set_mark(std::string_view name, std::int64_t value) {
  database_.prepare("INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value")
      .bind(name).bind(value).run();
}

std::optional<AccountTransaction::Answer> SqliteTransaction::answer(AccountId caller, std::string_view key) {
  Statement statement = database_.prepare("SELECT request, sealed FROM answers WHERE caller = ? AND key = ?");
  statement.bind(caller).bind(key);
  if (!statement.step()) return std::nullopt;
  return Answer{statement.digest(0), statement.blob(1)};
}

void SqliteTransaction::keep_answer(AccountId caller, std::string_view key, const Answer& answer, WallTime now) {
  database_.prepare("INSERT INTO answers (caller, key, request, sealed, at) VALUES (?, ?, ?, ?, ?)")
      .bind(caller).bind(key).bind(answer.request).bind_blob(answer.sealed).bind(to_unix_ms(now)).run();
  database_.prepare("DELETE FROM answers WHERE caller = ?1 AND key IN "
                    "(SELECT key FROM answers WHERE caller = ?1 AND key <> ?2 ORDER BY at DESC LIMIT -1 OFFSET ?3)")
      .bind(caller).bind(key).bind(most_answers - 1).run();
}

std::size_t SqliteTransaction::forget_answers(WallTime before) {
  database_.prepare("DELETE FROM answers WHERE at < ?").bind(to_unix_ms(before)).run();
  return static_cast<std::size_t>(database_.changes());
}

}  // namespace proxyxai
