#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxyxai/base/text_hash.hpp"
#include "proxyxai/storage/store.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace proxyxai {

/// A prepared statement of a Database, reset and ready to be bound. Values are bound, never pasted into SQL. Belongs to the
/// thread of its database. Throws StorageError.
class Statement {
 public:
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}
  ~Statement();
  Statement(Statement&& other) noexcept : database_(other.database_), statement_(std::exchange(other.statement_, nullptr)), next_(other.next_) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  /// Binds the next parameter.
  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view text);
  Statement& bind_blob(std::string_view bytes);
  Statement& bind(const Digest& digest);
  Statement& bind(const std::optional<WallTime>& time);

  /// Moves to the next row; false: there is none.
  bool step();
  /// Runs a statement that gives no rows.
  void run();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::string blob(int column) const;
  [[nodiscard]] Digest digest(int column) const;
  [[nodiscard]] std::optional<WallTime> time(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_;
  int next_ = 1;
};

/// Rows in memory that a statement reads as the table `lent (n0, n1, …, n14, text)`. To add many it takes less time than to bind
/// and run a statement for each.
struct LentRows {
  static constexpr std::size_t most_numbers = 15;
  static constexpr std::int64_t null = INT64_MIN;  ///< As a number: NULL.

  std::size_t width = 1;                ///< Numbers in a row, up to most_numbers; the columns beyond are NULL.
  std::vector<std::int64_t> numbers;    ///< Row after row.
  std::vector<std::string_view> texts;  ///< One a row, or none at all.

  [[nodiscard]] std::size_t size() const { return numbers.size() / width; }
};

/// One SQLite connection. One thread at a time. Throws StorageError, which names the operation and what SQLite said.
class Database {
 public:
  enum class Mode { read_write, read_only };
  Database(const std::string& file, Mode mode);
  ~Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements without parameters or results.
  void execute(const std::string& sql);
  /// Runs one statement without parameters or results, prepared once: for those that are run often.
  void run(std::string_view sql) { prepare(sql).run(); }
  /// The same of one that reads the table `lent`, which is `rows` meanwhile.
  void run(std::string_view sql, const LentRows& rows);
  /// A statement, prepared once and kept for the next time.
  Statement prepare(std::string_view sql);
  /// The one value of a statement such as `PRAGMA user_version`.
  std::string value_of(std::string_view sql);

  [[nodiscard]] std::int64_t last_id() const;
  [[nodiscard]] int changes() const;
  [[nodiscard]] bool in_transaction() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  const LentRows* lent_ = nullptr;
  std::unique_ptr<sqlite3, Close> handle_;
  TextMap<std::unique_ptr<sqlite3_stmt, Finalize>> statements_;  // dies before handle_
};

/// The newest schema this program knows.
int schema_version();

/// Brings the schema up to date, each step in a transaction; an older database that holds data is first copied to
/// `<file>.before-v<n>`. Throws Failure for a database that a newer program has made. `wanted`: no newer than that, for tests of
/// migrations.
void migrate(Database& database, const std::string& file, int wanted = schema_version());

}  // namespace proxyxai
