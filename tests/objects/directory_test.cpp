#include "proxyxai/objects/directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "proxyxai/storage/sqlite_store.hpp"
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
    directory = std::make_unique<ObjectDirectory>(loop.get_executor(), *store, clock, capacity);
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
  std::unique_ptr<ObjectDirectory> directory = std::make_unique<ObjectDirectory>(loop.get_executor(), *store, clock, 100);
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
  directory->tick(clock.now());
  loop.restart();
  loop.run();
  clock.advance(std::chrono::hours(24 * 20));
  directory->tick(clock.now());
  loop.restart();
  loop.run();
  restart();
  EXPECT_EQ(key_of(".1.2.", "file-1"), 7);
  EXPECT_EQ(key_of(".1.2.", "resp_1"), std::nullopt);
  EXPECT_EQ(key_of(".1.2.", "resp_2"), 7);
}

}  // namespace
}  // namespace proxyxai
