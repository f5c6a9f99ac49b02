#include "proxyxai/storage/offline.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>

#include "storage/rows.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

template <class Work>
std::string failure_of(Work work) {
  try {
    work();
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "no failure";
}

/// A directory with a database of some keys, which no daemon uses.
struct Place {
  explicit Place(std::vector<std::string> secrets) { add(std::move(secrets)); }

  void add(std::vector<std::string> secrets) const {
    boost::asio::io_context loop;
    SqliteStore store(loop, directory.path(), {});
    std::vector<KeyRow> rows;
    for (const std::string& each : secrets) rows.push_back(key_row(each));
    run_task(loop, store.add_keys(std::move(rows)));
  }
  [[nodiscard]] std::vector<std::string> names() const {
    boost::asio::io_context loop;
    SqliteStore store(loop, directory.path(), {});
    std::vector<std::string> found;
    for (const KeyRow& each : run_task(loop, store.load_keys())) found.push_back(each.name);
    return found;
  }
  [[nodiscard]] std::string database() const { return directory.file("proxyxai.db"); }
  /// Without those that SQLite has beside a database while it is open.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& each : fs::directory_iterator(directory.path())) {
      const std::string name = each.path().filename().string();
      if (!name.ends_with("-wal") && !name.ends_with("-shm")) found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  TempDirectory directory;
};

using Names = std::vector<std::string>;

TEST(Restore, PutsABackupInPlaceAndKeepsWhatWasThere) {
  const Place place({"a", "b"});
  const TempDirectory elsewhere;
  backup_database(place.directory.path(), elsewhere.file("copy.db"));
  place.add({"later"});
  const std::string kept = restore_database(place.directory.path(), elsewhere.file("copy.db"));
  EXPECT_EQ(kept, place.database() + ".before-restore");
  EXPECT_EQ(place.names(), (Names{"name of a", "name of b"}));
  EXPECT_THAT(check_database(place.directory.path()), IsEmpty());
  struct stat status {};
  ASSERT_EQ(::stat(place.database().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  // And back again; nothing that was kept is written over.
  EXPECT_EQ(restore_database(place.directory.path(), kept), kept + "-2");
  EXPECT_EQ(place.names(), (Names{"name of a", "name of b", "name of later"}));
}

TEST(Restore, FillsAnEmptyDirectory) {
  const Place place({"a"});
  const TempDirectory elsewhere;
  EXPECT_EQ(restore_database(elsewhere.file("data"), place.database()), "");
  EXPECT_THAT(check_database(elsewhere.file("data")), IsEmpty());
}

TEST(Restore, TakesTheLogOfADamagedDatabaseAwayWithIt) {
  const Place place({"a"});
  const TempDirectory elsewhere;
  backup_database(place.directory.path(), elsewhere.file("copy.db"));
  place.directory.write("proxyxai.db", std::string(8192, 'x'));
  place.directory.write("proxyxai.db-wal", "a log that belongs to what was there");
  const std::string kept = restore_database(place.directory.path(), elsewhere.file("copy.db"));
  EXPECT_EQ(read_whole_file(kept), std::string(8192, 'x'));
  EXPECT_EQ(read_whole_file(kept + "-wal"), "a log that belongs to what was there");
  EXPECT_EQ(place.names(), (Names{"name of a"}));
}

/// A file that must not take the place of a database, and what is said of it.
struct Wrong {
  const char* name;
  std::function<std::string(const Place&, const TempDirectory&)> make;
  const char* said;
};

class RefusedRestore : public testing::TestWithParam<Wrong> {};

TEST_P(RefusedRestore, LeavesEverythingAsItWas) {
  const Place place({"a"});
  const TempDirectory elsewhere;
  const std::string source = GetParam().make(place, elsewhere);
  const std::vector<std::string> files = place.files();
  EXPECT_THAT(failure_of([&] { restore_database(place.directory.path(), source); }), HasSubstr(GetParam().said));
  EXPECT_EQ(place.names(), (Names{"name of a"}));
  EXPECT_EQ(place.files(), files);
}

std::string copy_with(const Place& place, const TempDirectory& elsewhere, const std::string& sql) {
  const std::string file = elsewhere.file("copy.db");
  backup_database(place.directory.path(), file);
  Database(file, Database::Mode::read_write).execute(sql);
  return file;
}

std::string damaged(const Place& place, const TempDirectory& elsewhere) {
  std::string content = read_whole_file(copy_with(place, elsewhere, "SELECT 1"));
  const Digest digest = sha256("a");
  const auto at = content.find(std::string(reinterpret_cast<const char*>(digest.data()), digest.size()));
  content.at(at) = static_cast<char>(content.at(at) ^ 1);
  return elsewhere.write("damaged.db", content);
}

INSTANTIATE_TEST_SUITE_P(
    Files, RefusedRestore,
    testing::Values(
        Wrong{"Missing", [](const Place&, const TempDirectory& elsewhere) { return elsewhere.file("none.db"); }, "there is no file"},
        Wrong{"NoDatabase", [](const Place&, const TempDirectory& elsewhere) { return elsewhere.write("letter.txt", std::string(5000, 'a')); }, "not a database"},
        Wrong{"Empty", [](const Place&, const TempDirectory& elsewhere) { return elsewhere.write("empty.db", ""); }, "no database of this program"},
        Wrong{"Anothers", [](const Place& place, const TempDirectory& elsewhere) { return copy_with(place, elsewhere, "DROP TABLE accounts"); }, "no database of this program"},
        Wrong{"Newer", [](const Place& place, const TempDirectory& elsewhere) { return copy_with(place, elsewhere, "PRAGMA user_version = 1000"); }, "schema 1000"},
        Wrong{"Damaged", damaged, "is not sound"},
        Wrong{"ItsLedger", [](const Place& place, const TempDirectory& elsewhere) { return copy_with(place, elsewhere, "INSERT INTO transfers VALUES (1, 1, 'grant', 7, 8, 5, 0)"); }, "is not sound"},
        Wrong{"TheOneInUse", [](const Place& place, const TempDirectory&) { return place.database(); }, "is the database in use"}),
    [](const auto& about) { return about.param.name; });

TEST(Restore, NeedsTheDirectoryForItself) {
  const Place place({"a"});
  const TempDirectory elsewhere;
  backup_database(place.directory.path(), elsewhere.file("copy.db"));
  const DataDirectory held(place.directory.path(), true);
  EXPECT_THAT(failure_of([&] { restore_database(place.directory.path(), elsewhere.file("copy.db")); }), HasSubstr("another proxyxai runs"));
}

/// A sealing that anybody sees through.
std::optional<std::string> again(std::string_view sealed, const Digest&) { return "new " + std::string(sealed); }

void add_answer(const Place& place, std::string_view key, std::string_view sealed) {
  Database database(place.database(), Database::Mode::read_write);
  database.prepare("INSERT INTO answers VALUES (1, ?, ?, ?, 0)").bind(key).bind(sha256(key)).bind_blob(sealed).run();
}

std::vector<std::string> sealed_in(const Place& place) {
  Database database(place.database(), Database::Mode::read_only);
  std::vector<std::string> found;
  Statement row = database.prepare("SELECT sealed FROM upstream_keys UNION ALL SELECT sealed FROM answers");
  while (row.step()) found.push_back(row.blob(0));
  return found;
}

TEST(Reseal, ReachesEveryKeyAndAnswer) {
  const Place place({"a", "b"});
  add_answer(place, "first", "answer");
  std::vector<Digest> bound;
  const Resealed done = reseal_database(DataDirectory(place.directory.path(), true), [&bound](std::string_view sealed, const Digest& to) {
    bound.push_back(to);
    return again(sealed, to);
  });
  EXPECT_EQ(done.keys, 2u);
  EXPECT_EQ(done.answers, 1u);
  EXPECT_EQ(bound, (std::vector<Digest>{sha256("a"), sha256("b"), sha256("first")}));
  EXPECT_EQ(sealed_in(place), (std::vector<std::string>{"new " + key_row("a").sealed, "new " + key_row("b").sealed, "new answer"}));
}

TEST(Reseal, OverwritesWhatWasSealedBefore) {
  const Place place({"abcdefghijklmnop"});
  ASSERT_NE(read_whole_file(place.database()).find(key_row("abcdefghijklmnop").sealed), std::string::npos);
  reseal_database(DataDirectory(place.directory.path(), true), [](std::string_view, const Digest&) { return std::optional<std::string>("sealed anew"); });
  for (const auto& each : fs::directory_iterator(place.directory.path())) {
    EXPECT_EQ(read_whole_file(each.path().string()).find(key_row("abcdefghijklmnop").sealed), std::string::npos) << each.path();
  }
}

TEST(Reseal, AKeyThatDoesNotOpenLeavesAllAsTheyWere) {
  const Place place({"a", "b", "c"});
  add_answer(place, "first", "answer");
  const auto before = sealed_in(place);
  const auto all_but_b = [](std::string_view sealed, const Digest& bound) { return bound == sha256("b") ? std::nullopt : again(sealed, bound); };
  EXPECT_THROW(reseal_database(DataDirectory(place.directory.path(), true), all_but_b), UnreadableKey);
  EXPECT_EQ(sealed_in(place), before);
}

TEST(Reseal, AnAnswerThatDoesNotOpenStays) {
  const Place place({"a"});
  add_answer(place, "first", "answer");
  const auto keys_only = [](std::string_view sealed, const Digest& bound) { return bound == sha256("first") ? std::nullopt : again(sealed, bound); };
  EXPECT_EQ(reseal_database(DataDirectory(place.directory.path(), true), keys_only).answers, 0u);
  EXPECT_EQ(sealed_in(place).back(), "answer");
}

}  // namespace
}  // namespace proxyxai
