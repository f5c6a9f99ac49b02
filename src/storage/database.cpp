#include "proxyxai/storage/database.hpp"

#include <cstring>

#include <sqlite3.h>

#include "lent_rows.hpp"

namespace proxyxai {
namespace {

constexpr int busy_timeout_ms = 5'000;

[[noreturn]] void fail(sqlite3* database, const char* what) {
  const int code = database == nullptr ? SQLITE_NOMEM : sqlite3_extended_errcode(database);
  std::string message = std::string("the database cannot ") + what + ": " +
                        (database == nullptr ? "out of memory" : sqlite3_errmsg(database));
  switch (code & 0xff) {
    case SQLITE_FULL: message += "; free some disk space"; break;
    case SQLITE_IOERR: message += "; check the disk of DATA_DIR"; break;
    case SQLITE_READONLY: message += "; DATA_DIR must be writable"; break;
    case SQLITE_BUSY: message += "; another program holds it"; break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      // One that is only read may be a backup itself.
      if (sqlite3_db_readonly(database, "main") == 0) message += "; restore a backup of proxyxai.db";
      break;
    default: break;
  }
  throw StorageError(message);
}

}  // namespace

Statement::~Statement() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

Statement& Statement::bind(std::int64_t value) {
  if (sqlite3_bind_int64(statement_, next_++, value) != SQLITE_OK) fail(database_, "bind a number");
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  // A null pointer would bind NULL.
  const char* const bytes = text.data() == nullptr ? "" : text.data();
  if (sqlite3_bind_text64(statement_, next_++, bytes, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) != SQLITE_OK) fail(database_, "bind a text");
  return *this;
}

Statement& Statement::bind_blob(std::string_view bytes) {
  if (sqlite3_bind_blob64(statement_, next_++, bytes.data(), bytes.size(), SQLITE_TRANSIENT) != SQLITE_OK) fail(database_, "bind bytes");
  return *this;
}

Statement& Statement::bind(const Digest& digest) {
  return bind_blob({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Statement& Statement::bind(const std::optional<WallTime>& time) {
  if (time) return bind(to_unix_ms(*time));
  if (sqlite3_bind_null(statement_, next_++) != SQLITE_OK) fail(database_, "bind nothing");
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) fail(database_, "run a statement");
  return false;
}

void Statement::run() { step(); }

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? std::string() : std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

std::string Statement::blob(int column) const {
  const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

Digest Statement::digest(int column) const {
  Digest digest{};
  const std::string bytes = blob(column);
  std::memcpy(digest.data(), bytes.data(), std::min(bytes.size(), digest.size()));
  return digest;
}

std::optional<WallTime> Statement::time(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return from_unix_ms(integer(column));
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }
void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Database::Database(const std::string& file, Mode mode) {
  // Before the first is opened: nobody asks what SQLite has allocated, and to count it would take a lock each time.
  [[maybe_unused]] static const int told_once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  sqlite3* raw = nullptr;
  const int flags = mode == Mode::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  handle_.reset(raw);
  if (code != SQLITE_OK) fail(raw, ("open '" + file + "'").c_str());
  sqlite3_busy_timeout(raw, busy_timeout_ms);
  int ignored = 0;
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, &ignored);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &ignored);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DDL, 0, &ignored);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0, &ignored);
  if (make_lent_table(raw, &lent_) != SQLITE_OK) fail(raw, "make the table of lent rows");
  execute("PRAGMA foreign_keys = ON");
}

void Database::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(handle_.get(), "run a statement");
}

Statement Database::prepare(std::string_view sql) {
  if (const auto kept = statements_.find(sql); kept != statements_.end()) return {handle_.get(), kept->second.get()};
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  std::unique_ptr<sqlite3_stmt, Finalize> made(raw);
  if (code != SQLITE_OK) fail(handle_.get(), "prepare a statement");
  statements_.emplace(sql, std::move(made));
  return {handle_.get(), raw};
}

void Database::run(std::string_view sql, const LentRows& rows) {
  const auto take_back = [this](const LentRows* /*rows*/) { lent_ = nullptr; };
  const std::unique_ptr<const LentRows, decltype(take_back)> loan(&rows, take_back);
  lent_ = &rows;
  run(sql);
}

std::string Database::value_of(std::string_view sql) {
  Statement statement = prepare(sql);
  return statement.step() ? statement.text(0) : std::string();
}

std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(handle_.get()); }
int Database::changes() const { return sqlite3_changes(handle_.get()); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_.get()) == 0; }

}  // namespace proxyxai
