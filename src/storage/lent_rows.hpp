#pragma once

#include "proxyxai/storage/database.hpp"

namespace proxyxai {

/// Makes the table `lent` known to a connection: a virtual table (https://www.sqlite.org/vtab.html) that reads the rows `*place` points to,
/// or none. `place` outlives the connection. Returns SQLite's code.
int make_lent_table(sqlite3* database, const LentRows** place);

}  // namespace proxyxai
