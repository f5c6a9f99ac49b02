#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include <gtest/gtest.h>

#include "proxyxai/storage/sqlite_store.hpp"
#include "storage/rows.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace {
std::atomic<int> syncs{0};
}  // namespace

// Stand before those of the C library, for SQLite too.
extern "C" int fsync(int file) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fsync, file));
}
extern "C" int fdatasync(int file) {
  ++syncs;
  return static_cast<int>(::syscall(SYS_fdatasync, file));
}

namespace proxyxai {
namespace {

/// How often the disk was asked to keep what it has, for each of three writes.
std::vector<int> syncs_of_writes(bool full_durability) {
  const TempDirectory directory;
  boost::asio::io_context loop;
  SqliteStore store(loop, directory.path(), {.full_durability = full_durability});
  run_task(loop, store.add_keys({key_row("first")}));  // begins the log, with a sync of its own
  std::vector<int> counts;
  for (const char* secret : {"a", "b", "c"}) {
    const int before = syncs;
    run_task(loop, store.add_keys({key_row(secret)}));
    counts.push_back(syncs - before);
  }
  return counts;
}

TEST(Durability, FullSyncsEveryWriteBeforeItsCallReturns) {
  for (const int count : syncs_of_writes(true)) EXPECT_GE(count, 1);
}

TEST(Durability, NormalDoesNot) { EXPECT_EQ(syncs_of_writes(false), (std::vector<int>{0, 0, 0})); }

TEST(Durability, FullIsTheDefault) { EXPECT_TRUE(SqliteStore::Options{}.full_durability); }

}  // namespace
}  // namespace proxyxai
