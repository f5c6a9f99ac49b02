#include "proxyxai/storage/offline.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "proxyxai/storage/database.hpp"

namespace proxyxai {
namespace fs = std::filesystem;

namespace {

void sync_to_disk(const std::string& path) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = opened >= 0 && ::fsync(opened) == 0;
  const int error = errno;
  if (opened >= 0) ::close(opened);
  if (!done) throw Failure("cannot write '" + path + "' to disk: " + std::generic_category().message(error));
}

/// A whole copy that is on disk, or none.
void copy_database(const std::string& file, const std::string& target) {
  // Made here, and no link is followed: the directory may be others' too.
  const int made = ::open(target.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0600);
  if (made < 0) throw Failure("cannot make '" + target + "': " + std::generic_category().message(errno));
  ::fchmod(made, 0600);
  ::close(made);
  try {
    Database database(file, Database::Mode::read_only);
    database.prepare("VACUUM INTO ?").bind(std::string_view(target)).run();
    sync_to_disk(target);
  } catch (...) {
    // What it has begun is no copy.
    std::error_code ignored;
    fs::remove(target, ignored);
    throw;
  }
}

void require_ours(const std::string& copy, const std::string& source) {
  Database database(copy, Database::Mode::read_only);
  const int version = std::stoi(database.value_of("PRAGMA user_version"));
  const bool has_accounts = database.value_of("SELECT name FROM sqlite_schema WHERE name = 'accounts'") == "accounts";
  if (version <= 0 || !has_accounts) throw Failure("'" + source + "' is no database of this program");
  if (version > schema_version()) {
    throw Failure("'" + source + "' has schema " + std::to_string(version) + ", made by a newer version of this program, which knows " +
                  std::to_string(schema_version()) + "; install that version");
  }
}

bool is_database(const std::string& file) {
  constexpr std::string_view magic = "SQLite format 3";
  std::string head(magic.size(), '\0');
  std::ifstream stream(file, std::ios::binary);
  return stream.read(head.data(), static_cast<std::streamsize>(head.size())) && head == magic;
}

std::string free_name(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 2; fs::exists(name); ++i) name = wanted + "-" + std::to_string(i);
  return name;
}

/// Keeps the database under another name, with the log of what is not in it yet. It stays where it is as well, until another takes
/// its place: at no moment is there none.
std::string keep_aside(const std::string& file) {
  if (!fs::exists(file) || fs::file_size(file) == 0) return {};
  try {
    // Into the one file, when it is a database at all: a log beside another would be taken for that one's, and SQLite throws away
    // one that stands beside no database.
    if (is_database(file)) Database(file, Database::Mode::read_write).execute("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (const StorageError&) {
  }
  std::string kept = free_name(file + ".before-restore");
  fs::create_hard_link(file, kept);
  if (fs::exists(file + "-wal")) fs::rename(file + "-wal", kept + "-wal");
  fs::remove(file + "-shm");
  return kept;
}

struct SealedRow {
  std::int64_t id;
  std::string name;
  Digest bound;
  std::string sealed, partial;
};

/// All of them at once, for they are changed while they are gone through.
std::vector<SealedRow> sealed_rows(Database& database, const char* sql) {
  std::vector<SealedRow> rows;
  Statement row = database.prepare(sql);
  while (row.step()) rows.push_back({row.integer(0), row.text(1), row.digest(2), row.blob(3), row.text(4)});
  return rows;
}

}  // namespace

std::string database_in(const std::string& directory) {
  std::string file = directory + "/proxyxai.db";
  if (!fs::exists(file)) throw Failure("there is no database '" + file + "'; is DATA_DIR right?");
  return file;
}

void backup_database(const std::string& directory, const std::string& target) {
  const std::string file = database_in(directory);
  if (fs::exists(target)) throw Failure("'" + target + "' exists already; give another name, or remove it first");
  const fs::path folder = fs::path(target).has_parent_path() ? fs::path(target).parent_path() : fs::path(".");
  if (!fs::is_directory(folder)) throw Failure("there is no directory '" + folder.string() + "' for '" + target + "'; make it first");
  copy_database(file, target);
}

std::string restore_database(const std::string& directory, const std::string& source, const std::function<void(const CheckProgress&)>& progress) {
  if (!fs::is_regular_file(source)) throw Failure("there is no file '" + source + "'");
  const DataDirectory place(directory, true);
  const std::string file = place.database_file(), fresh = file + ".restoring";
  if (fs::equivalent(source, file)) throw Failure("'" + source + "' is the database in use; give the file that `proxyxai backup` made");
  fs::remove(fresh);
  try {
    try {
      copy_database(source, fresh);
    } catch (const StorageError& error) {
      throw Failure("'" + source + "' cannot be copied, and the database stays as it is: " + error.what());
    }
    require_ours(fresh, source);
    const std::vector<std::string> faults = check_database_file(fresh, progress);
    if (!faults.empty()) throw Failure("'" + source + "' is not sound, and the database stays as it is: " + faults.front());
    std::string kept = keep_aside(file);
    fs::rename(fresh, file);
    sync_to_disk(directory);
    return kept;
  } catch (...) {
    std::error_code ignored;
    fs::remove(fresh, ignored);
    throw;
  }
}

Resealed reseal_database(const DataDirectory& place, const std::function<std::optional<std::string>(std::string_view, const Digest&)>& reseal) {
  Database database(place.database_file(), Database::Mode::read_write);
  migrate(database, place.database_file());
  database.execute("PRAGMA synchronous = FULL");
  // What was sealed under the old key is overwritten, not only given up.
  database.execute("PRAGMA secure_delete = ON");
  database.execute("BEGIN IMMEDIATE");
  Resealed done;
  for (const SealedRow& key : sealed_rows(database, "SELECT id, '', fingerprint, sealed, partial FROM upstream_keys")) {
    const auto fresh = reseal(key.sealed, key.bound);
    if (!fresh) {
      throw UnreadableKey("upstream key " + std::to_string(key.id) + " (..." + key.partial + ") does not open with the present master key; nothing was "
                    "changed. `proxyxai keys delete unreadable` forgets such keys");
    }
    database.prepare("UPDATE upstream_keys SET sealed = ? WHERE id = ?").bind_blob(*fresh).bind(key.id).run();
    ++done.keys;
  }
  for (const SealedRow& answer : sealed_rows(database, "SELECT caller, key, request, sealed, '' FROM answers")) {
    const auto fresh = reseal(answer.sealed, answer.bound);
    if (!fresh) continue;
    database.prepare("UPDATE answers SET sealed = ? WHERE caller = ? AND key = ?").bind_blob(*fresh).bind(answer.id).bind(std::string_view(answer.name)).run();
    ++done.answers;
  }
  database.execute("COMMIT");
  database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  return done;
}

}  // namespace proxyxai
