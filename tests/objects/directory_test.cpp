#include "proxyxai/objects/directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxyxai/storage/sqlite_store.hpp"
#include "support/failing_object_store.hpp"
#include "support/fake_clock.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::ElementsAre;

class Objects : public testing::Test {
 protected:
  std::optional<KeyId> key_of(const std::string& asker, const std::string& id) {
    const auto found = run_task(loop, directory->find(asker, {id}));
    return found[0].place ? std::optional(found[0].place->key) : std::nullopt;
  }
  void put(const std::string& owner, KeyId key, std::vector<std::string> ids) {
    std::vector<ObjectDirectory::Made> made;
    for (std::string& each : ids) made.push_back({each, kind_of(each), 0, 0, {}});
    EXPECT_TRUE(run_task(loop, directory->put(owner, key, std::move(made))));
  }
  void restart(std::size_t capacity = 100) {
    directory.reset();
    directory = std::make_unique<ObjectDirectory>(loop.get_executor(), disk, clock, capacity);
  }
  /// Lets the directory do what is due, to its end.
  void tick() {
    directory->tick(clock.now());
    loop.restart();
    loop.run();
  }
  std::vector<std::string> list(const std::string& of, bool ascending = false) {
    ObjectQuery query;
    query.of = of;
    query.kind = static_cast<std::uint8_t>(ObjectKind::file);
    query.ascending = ascending;
    std::vector<std::string> ids;
    for (const ObjectRow& row : run_task(loop, directory->list(query))) ids.push_back(row.id);
    return ids;
  }

  TempDirectory temp;
  boost::asio::io_context loop;
  FakeClock clock;
  std::unique_ptr<SqliteStore> store = std::make_unique<SqliteStore>(loop, temp.path(), SqliteStore::Options{});
  FailingObjectStore disk{*store};
  std::unique_ptr<ObjectDirectory> directory = std::make_unique<ObjectDirectory>(loop.get_executor(), disk, clock, 100);
};

TEST_F(Objects, are_reached_by_their_maker_and_those_above_it) {
  put(".1.2.", 7, {"file-1"});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(key_of(".1.2.", "file-1"), 7);
    EXPECT_EQ(key_of(".1.", "file-1"), 7);
    EXPECT_EQ(key_of(".1.3.", "file-1"), std::nullopt);
    EXPECT_EQ(key_of(".1.2.4.", "file-1"), std::nullopt);
    EXPECT_EQ(key_of(".1.22.", "file-1"), std::nullopt);
    EXPECT_EQ(key_of(".1.2.", "file-2"), std::nullopt);
    restart();
  }
}

TEST_F(Objects, of_another_are_known_to_be_anothers) {
  put(".1.2.", 7, {"file-1"});
  const auto found = run_task(loop, directory->find(".1.3.", {"file-1", "file-2"}));
  EXPECT_TRUE(found[0].is_anothers);
  EXPECT_FALSE(found[1].is_anothers);
}

TEST_F(Objects, stay_where_they_are_whoever_names_them_next) {
  put(".1.2.", 7, {"file-1"});
  put(".1.3.", 8, {"file-1"});
  restart();
  put(".1.3.", 8, {"file-1"});
  restart();
  EXPECT_EQ(key_of(".1.2.", "file-1"), 7);
  EXPECT_EQ(key_of(".1.3.", "file-1"), std::nullopt);
}

TEST_F(Objects, that_do_not_fit_in_memory_are_found_in_the_store) {
  restart(2);
  put(".1.2.", 7, {"file-1", "file-2", "file-3", "file-4"});
  for (const char* id : {"file-1", "file-2", "file-3", "file-4", "file-1"}) EXPECT_EQ(key_of(".1.2.", id), 7) << id;
}

TEST_F(Objects, that_were_deleted_are_forgotten) {
  put(".1.2.", 7, {"file-1"});
  directory->forget("file-1");
  loop.restart();
  loop.run();
  EXPECT_EQ(key_of(".1.2.", "file-1"), std::nullopt);
  restart();
  EXPECT_EQ(key_of(".1.2.", "file-1"), std::nullopt);
}

TEST_F(Objects, are_listed_newest_first_with_those_of_descendants) {
  put(".1.2.", 7, {"file-1"});
  put(".1.2.5.", 8, {"file-2", "vs_1"});
  put(".1.3.", 9, {"file-3"});
  EXPECT_THAT(list(".1.2."), ElementsAre("file-2", "file-1"));
  EXPECT_THAT(list(".1.2.5."), ElementsAre("file-2"));
  EXPECT_THAT(list(".1.", true), ElementsAre("file-1", "file-2", "file-3"));
}

TEST_F(Objects, tell_where_their_account_is_at_home) {
  const auto home = [this](bool lasting) {
    run_task(loop, directory->load_home(".1.2."));
    return directory->home(".1.2.", lasting);
  };
  EXPECT_EQ(home(false), 0);
  put(".1.2.", 7, {"resp_1"});
  EXPECT_EQ(home(false), 7);
  EXPECT_EQ(home(true), 0) << "a response alone binds to no key";
  put(".1.2.", 8, {"file-1"});
  EXPECT_EQ(home(true), 8);
  put(".1.2.", 9, {"chatcmpl-1", "resp_2"});
  EXPECT_EQ(home(false), 8);
  restart();
  EXPECT_EQ(home(true), 8);
}

TEST_F(Objects, that_are_being_made_give_their_account_a_home_already) {
  run_task(loop, directory->load_home(".1.2."));
  directory->begin_home(".1.2.", 7);
  directory->begin_home(".1.2.", 8);
  EXPECT_EQ(directory->home(".1.2.", true), 7);
}

TEST_F(Objects, that_nobody_uses_are_forgotten_after_their_time) {
  put(".1.2.", 7, {"file-1", "resp_1", "resp_2"});
  clock.advance(std::chrono::hours(24 * 20));
  EXPECT_EQ(key_of(".1.2.", "resp_2"), 7);  // used again
  tick();
  clock.advance(std::chrono::hours(24 * 20));
  tick();
  restart();
  EXPECT_EQ(key_of(".1.2.", "file-1"), 7);
  EXPECT_EQ(key_of(".1.2.", "resp_1"), std::nullopt);
  EXPECT_EQ(key_of(".1.2.", "resp_2"), 7);
}

TEST_F(Objects, of_another_are_told_apart_though_they_are_not_in_memory) {
  put(".1.2.", 7, {"file-1"});
  restart();
  const auto found = run_task(loop, directory->find(".1.3.", {"file-1"}));
  EXPECT_FALSE(found[0].place);
  EXPECT_TRUE(found[0].is_anothers);
  EXPECT_EQ(found[0].holder, 7);
}

TEST_F(Objects, that_could_not_be_stored_are_stored_once_they_can_be) {
  disk.is_full = true;
  EXPECT_FALSE(run_task(loop, directory->put(".1.2.", 7, {{"file-1", ObjectKind::file, 0, 0, {}}})));
  tick();
  EXPECT_EQ(key_of(".1.2.", "file-1"), std::nullopt);
  disk.is_full = false;
  clock.advance(milliseconds(1'500));
  tick();
  EXPECT_EQ(key_of(".1.2.", "file-1"), 7);
  restart();
  EXPECT_EQ(key_of(".1.2.", "file-1"), 7);
}

TEST_F(Objects, that_were_deleted_before_they_could_be_stored_stay_forgotten) {
  disk.is_full = true;
  EXPECT_FALSE(run_task(loop, directory->put(".1.2.", 7, {{"file-1", ObjectKind::file, 0, 0, {}}})));
  directory->forget("file-1");
  disk.is_full = false;
  clock.advance(milliseconds(1'500));
  tick();
  EXPECT_EQ(key_of(".1.2.", "file-1"), std::nullopt);
}

TEST_F(Objects, do_not_end_upkeep_when_the_disk_is_full) {
  put(".1.2.", 7, {"file-1"});
  disk.is_full = true;
  clock.advance(std::chrono::hours(24));
  EXPECT_EQ(key_of(".1.2.", "file-1"), 7);  // used today for the first time
  tick();
  disk.is_full = false;
  clock.advance(std::chrono::hours(24));
  EXPECT_EQ(key_of(".1.2.", "file-1"), 7);
  tick();
  const auto rows = run_task(loop, store->find_objects({"file-1"}));
  EXPECT_EQ(rows.at(0).used_on, to_unix_ms(clock.wall_now()) / 86'400'000);
}

TEST_F(Objects, that_are_items_of_others_give_no_home) {
  EXPECT_TRUE(run_task(loop, directory->put(".1.2.", 7, {{"msg_00000001", ObjectKind::item, 0, 0, {}}})));
  EXPECT_EQ(directory->home(".1.2.", false), 0);
}

TEST_F(Objects, are_swept_however_many_they_are) {
  std::vector<std::string> ids;
  for (int i = 0; i < 2'500; ++i) ids.push_back("resp_" + std::to_string(100'000 + i));
  put(".1.2.", 7, ids);
  clock.advance(std::chrono::hours(24 * 40));
  tick();
  EXPECT_TRUE(run_task(loop, store->find_objects(ids)).empty());
}

}  // namespace
}  // namespace proxyxai
