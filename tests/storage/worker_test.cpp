#include "proxyxai/storage/worker.hpp"

#include <future>

#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>

#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using Job = std::function<bool(Database&)>;

Job insert(std::int64_t n, std::string text = "t") {
  return [n, text](Database& database) {
    database.prepare("INSERT INTO t (n, x) VALUES (?, ?)").bind(n).bind(std::string_view(text)).run();
    return true;
  };
}

class WriterGroups : public testing::Test {
 protected:
  WriterGroups() {
    auto database = open();
    database->execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (n INTEGER PRIMARY KEY, x TEXT NOT NULL) STRICT");
    worker = std::make_unique<DatabaseWorker>(loop, std::move(database), true);
  }
  [[nodiscard]] std::unique_ptr<Database> open() const {
    return std::make_unique<Database>(directory.file("w.db"), Database::Mode::read_write);
  }

  /// What became of each job: "" when it was stored.
  using Outcomes = std::vector<std::string>;

  void start(Job job, std::string& outcome) {
    outcome = "unanswered";
    boost::asio::co_spawn(loop, worker->run(std::move(job)), [&outcome](std::exception_ptr failure, bool) {
      try {
        if (failure) std::rethrow_exception(failure);
        outcome = "";
      } catch (const std::exception& error) {
        outcome = error.what();
      }
    });
  }
  /// Runs `jobs` as one group: they are handed over while the worker is held by a job before them.
  Outcomes run_group(std::vector<Job> jobs) {
    std::promise<void> begun, go_on;
    std::string held;
    start([&, go = go_on.get_future().share()](Database&) {
      begun.set_value();
      go.wait();
      return true;
    }, held);
    Outcomes outcomes(jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      boost::asio::post(loop, [this, i, &begun, &jobs, &outcomes, &go_on] {
        if (i == 0) begun.get_future().wait();
        start(std::move(jobs[i]), outcomes[i]);
        // co_spawn runs a task from the loop; this lets go after all have been handed over.
        if (i + 1 == jobs.size()) boost::asio::post(loop, [this, &go_on] { boost::asio::post(loop, [&go_on] { go_on.set_value(); }); });
      });
    }
    const auto groups = worker->figures().groups.load();
    loop.restart();
    loop.run();
    EXPECT_EQ(worker->figures().groups.load(), groups + 2) << "the jobs were not one group";
    return outcomes;
  }
  /// What is stored, as another connection sees it.
  [[nodiscard]] std::vector<std::int64_t> stored() const {
    const auto other = open();
    std::vector<std::int64_t> found;
    Statement statement = other->prepare("SELECT n FROM t ORDER BY n");
    while (statement.step()) found.push_back(statement.integer(0));
    return found;
  }

  TempDirectory directory;
  boost::asio::io_context loop;
  std::unique_ptr<DatabaseWorker> worker;
};

TEST_F(WriterGroups, GivesTheResultOfAJobOnceItIsCommitted) {
  // Another connection sees nothing while the job runs, and all of it when the caller is resumed.
  std::size_t during = 99;
  const auto result = run_task(loop, worker->run([&](Database& database) {
    insert(1)(database);
    during = stored().size();
    return std::string("result");
  }));
  EXPECT_EQ(result, "result");
  EXPECT_EQ(during, 0u);
  EXPECT_THAT(stored(), ElementsAre(1));
}

TEST_F(WriterGroups, CommitsWhatWaitsTogether) {
  const auto commits = worker->figures().groups.load();
  EXPECT_THAT(run_group({insert(1), insert(2), insert(3)}), ElementsAre("", "", ""));
  EXPECT_EQ(worker->figures().groups.load(), commits + 2);  // the holding job and the three
  EXPECT_EQ(worker->figures().jobs.load(), 4u);
  EXPECT_THAT(stored(), ElementsAre(1, 2, 3));
}

TEST_F(WriterGroups, UndoesAFailingJobAlone) {
  const auto outcomes = run_group({insert(1),
                                   [](Database& database) -> bool {
                                     insert(2)(database);
                                     throw std::runtime_error("no more");
                                   },
                                   insert(1),  // breaks the key
                                   insert(3)});
  EXPECT_EQ(outcomes[0], "");
  EXPECT_EQ(outcomes[1], "no more");
  EXPECT_THAT(outcomes[2], testing::HasSubstr("UNIQUE"));
  EXPECT_EQ(outcomes[3], "");
  EXPECT_THAT(stored(), ElementsAre(1, 3));
  EXPECT_EQ(worker->figures().failed_commits.load(), 0u);
}

TEST_F(WriterGroups, FailingJobsHaveTheirOwnException) {
  EXPECT_THROW(run_task(loop, worker->run([](Database&) -> bool { throw std::out_of_range("x"); })), std::out_of_range);
  EXPECT_THROW(run_task(loop, worker->run([](Database& database) {
                 database.execute("SELECT nonsense");
                 return true;
               })),
               StorageError);
}

/// A disk with room for a few pages more.
Job leave_pages(int pages) {
  return [pages](Database& database) {
    const int used = std::stoi(database.value_of("PRAGMA page_count"));
    database.execute("PRAGMA max_page_count = " + std::to_string(used + pages));
    return true;
  };
}
const std::string too_much(1 << 20, 'x');

TEST_F(WriterGroups, FailsOnAFullDiskAndHealsWhenThereIsRoomAgain) {
  ASSERT_THAT(run_group({insert(1), leave_pages(2)}), ElementsAre("", ""));
  std::string outcome;
  EXPECT_THROW(run_task(loop, worker->run(insert(2, too_much))), StorageError);
  EXPECT_THAT(stored(), ElementsAre(1));
  try {
    run_task(loop, worker->run(insert(2, too_much)));
    FAIL() << "stored on a full disk";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("free some disk space"));
  }
  run_task(loop, worker->run(leave_pages(100'000)));
  EXPECT_TRUE(run_task(loop, worker->run(insert(2, too_much))));
  EXPECT_THAT(stored(), ElementsAre(1, 2));
}

TEST_F(WriterGroups, AFullDiskTellsEachJobOfTheGroupTheTruth) {
  ASSERT_THAT(run_group({leave_pages(2)}), ElementsAre(""));
  const auto outcomes = run_group({insert(1), insert(2, too_much), insert(3), insert(4)});
  std::vector<std::int64_t> reported;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].empty()) reported.push_back(static_cast<std::int64_t>(i + 1));
    EXPECT_NE(outcomes[i], "unanswered") << i;
  }
  EXPECT_NE(outcomes[1], "");
  EXPECT_EQ(stored(), reported) << "what is stored is not what the callers were told";
}

TEST_F(WriterGroups, RunsWhatWaitsBeforeItEnds) {
  std::string first, second;
  std::promise<void> go_on;
  start([go = go_on.get_future().share()](Database&) {
    go.wait();
    return true;
  }, first);
  start(insert(5), second);
  loop.poll();
  go_on.set_value();
  worker.reset();
  loop.restart();
  loop.run();
  EXPECT_EQ(first, "");
  EXPECT_EQ(second, "");
  EXPECT_THAT(stored(), ElementsAre(5));
}

TEST_F(WriterGroups, LeavesOneFileWhenItEnds) {
  run_task(loop, worker->run(insert(1)));
  worker.reset();
  std::error_code none;
  const auto left = std::filesystem::file_size(directory.file("w.db-wal"), none);
  EXPECT_TRUE(none || left == 0);
  EXPECT_THAT(stored(), ElementsAre(1));
}

TEST_F(WriterGroups, RefusesMoreThanMayWait) {
  std::promise<void> begun, go_on;
  std::string held;
  start([&, go = go_on.get_future().share()](Database&) {
    begun.set_value();
    go.wait();
    return true;
  }, held);
  loop.poll();
  begun.get_future().wait();
  std::vector<std::string> outcomes(DatabaseWorker::most_waiting + 1);
  for (auto& each : outcomes) start([](Database&) { return true; }, each);
  loop.poll();
  EXPECT_EQ(worker->figures().waiting.load(), DatabaseWorker::most_waiting);
  EXPECT_THAT(outcomes.back(), testing::HasSubstr("too much waits"));
  EXPECT_EQ(outcomes.front(), "unanswered");
  go_on.set_value();
  loop.run();
  EXPECT_EQ(outcomes.front(), "");
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), ""), static_cast<std::ptrdiff_t>(DatabaseWorker::most_waiting));
}

TEST_F(WriterGroups, AReaderFailsOneJobAtATime) {
  auto reader = std::make_unique<DatabaseWorker>(loop, std::make_unique<Database>(directory.file("w.db"), Database::Mode::read_only), false);
  run_task(loop, worker->run(insert(1)));
  EXPECT_THROW(run_task(loop, reader->run(insert(2))), StorageError);
  EXPECT_EQ(run_task(loop, reader->run([](Database& database) { return database.value_of("SELECT count(*) FROM t"); })), "1");
}

}  // namespace
}  // namespace proxyxai
