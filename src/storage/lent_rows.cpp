#include "lent_rows.hpp"

#include <new>

#include <sqlite3.h>

namespace proxyxai {
namespace {

constexpr const char* columns = "CREATE TABLE lent (n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, n10, n11, n12, n13, n14, text)";
static_assert(LentRows::most_numbers == 15, "as in `columns`");

struct Table : sqlite3_vtab {
  const LentRows* const* place = nullptr;
};

struct Cursor : sqlite3_vtab_cursor {
  std::size_t at = 0;
};

// NOLINTBEGIN(cppcoreguidelines-pro-type-static-cast-downcast): SQLite hands back what `connect` and `open` made
Table* table_of(sqlite3_vtab* table) { return static_cast<Table*>(table); }
Cursor* cursor_of(sqlite3_vtab_cursor* cursor) { return static_cast<Cursor*>(cursor); }
// NOLINTEND(cppcoreguidelines-pro-type-static-cast-downcast)

const LentRows* rows_of(sqlite3_vtab_cursor* cursor) { return *table_of(cursor->pVtab)->place; }

// What SQLite calls must not throw.

int connect(sqlite3* database, void* place, int /*count*/, const char* const* /*arguments*/, sqlite3_vtab** made, char** /*message*/) {
  if (const int code = sqlite3_declare_vtab(database, columns); code != SQLITE_OK) return code;
  auto* const table = new (std::nothrow) Table;
  if (table == nullptr) return SQLITE_NOMEM;
  table->place = static_cast<const LentRows* const*>(place);
  *made = table;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table) {
  delete table_of(table);
  return SQLITE_OK;
}

int plan(sqlite3_vtab* /*table*/, sqlite3_index_info* /*plan*/) { return SQLITE_OK; }

int open(sqlite3_vtab* /*table*/, sqlite3_vtab_cursor** made) {
  *made = new (std::nothrow) Cursor;
  return *made == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int close(sqlite3_vtab_cursor* cursor) {
  delete cursor_of(cursor);
  return SQLITE_OK;
}

int rewind(sqlite3_vtab_cursor* cursor, int /*plan*/, const char* /*plan_text*/, int /*count*/, sqlite3_value** /*values*/) {
  cursor_of(cursor)->at = 0;
  return SQLITE_OK;
}

int move_on(sqlite3_vtab_cursor* cursor) {
  ++cursor_of(cursor)->at;
  return SQLITE_OK;
}

int is_at_end(sqlite3_vtab_cursor* cursor) {
  const LentRows* const rows = rows_of(cursor);
  return rows == nullptr || cursor_of(cursor)->at >= rows->size() ? 1 : 0;
}

int tell(sqlite3_vtab_cursor* cursor, sqlite3_context* context, int column) {
  const std::size_t at = cursor_of(cursor)->at;
  const LentRows& rows = *rows_of(cursor);
  const auto number = static_cast<std::size_t>(column);
  if (number < rows.width) {
    const std::int64_t value = rows.numbers[at * rows.width + number];
    // Where no result is set, it is NULL.
    if (value != LentRows::null) sqlite3_result_int64(context, value);
  } else if (number == LentRows::most_numbers && at < rows.texts.size()) {
    const std::string_view text = rows.texts[at];
    // A null pointer would be NULL.
    sqlite3_result_text64(context, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  return SQLITE_OK;
}

int tell_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* id) {
  *id = static_cast<sqlite3_int64>(cursor_of(cursor)->at);
  return SQLITE_OK;
}

constexpr sqlite3_module lent_module = [] {
  sqlite3_module module{};
  // Without xCreate it is there without being created, and cannot be.
  module.xConnect = connect;
  module.xBestIndex = plan;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = rewind;
  module.xNext = move_on;
  module.xEof = is_at_end;
  module.xColumn = tell;
  module.xRowid = tell_id;
  return module;
}();

}  // namespace

int make_lent_table(sqlite3* database, const LentRows** place) {
  return sqlite3_create_module_v2(database, "lent", &lent_module, static_cast<void*>(place), nullptr);
}

}  // namespace proxyxai
