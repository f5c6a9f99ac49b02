#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/base/digest.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/storage/sqlite_store.hpp"

/// What the operator's commands do with the database in a directory. They block; any thread.
namespace proxyxai {

/// The file of the database in `directory`; throws Failure when there is none.
std::string database_in(const std::string& directory);

/// How far a check has come.
struct CheckProgress {
  const char* at;           ///< What it looks at now.
  std::size_t done, total;  ///< Steps.
};

/// Everything that is wrong with the database in `directory`, in words; empty: nothing. Beside SQLite's own checks it works out the
/// ledger again: entries, balances, days and what accounts have used. Reads one snapshot, also beside a daemon, whose log grows
/// meanwhile; of an older schema only the file is checked.
std::vector<std::string> check_database(const std::string& directory, const std::function<void(const CheckProgress&)>& progress = {});
/// The same of a file by whatever name.
std::vector<std::string> check_database_file(const std::string& file, const std::function<void(const CheckProgress&)>& progress = {});

/// A consistent copy of the database in `directory`, which may be in use; on disk when this returns, mode 0600. Throws Failure when
/// `target` exists.
void backup_database(const std::string& directory, const std::string& target);

/// Puts a copy of `source` in place of the database in `directory`, which no daemon may use, and returns the name under which the one
/// that was there is kept; empty: there was none. Whole or not at all: `source` is copied and checked before. Throws Failure when it
/// is not sound, not one of this program, or of a newer schema.
std::string restore_database(const std::string& directory, const std::string& source,
                             const std::function<void(const CheckProgress&)>& progress = {});

/// What of a database is sealed under the master key.
struct Resealed {
  std::size_t keys = 0;     ///< Upstream keys.
  std::size_t answers = 0;  ///< Kept answers of the management API.
};
/// A key does not open; nothing was changed.
struct UnreadableKey : Failure {
  using Failure::Failure;
};
/// Seals every secret in the database of `place`, which is held for this alone, anew: all of them or none. `reseal` gives the new form
/// of what is sealed for a digest, nothing when it does not open: then a kept answer stays as it is, for nobody can read it anyway, and
/// a key throws UnreadableKey that names it.
Resealed reseal_database(const DataDirectory& place, const std::function<std::optional<std::string>(std::string_view, const Digest&)>& reseal);

}  // namespace proxyxai
