#include "proxyxai/storage/worker.hpp"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

namespace proxyxai {

DatabaseWorker::DatabaseWorker(boost::asio::io_context& loop, std::unique_ptr<Database> database, bool is_writer)
    : loop_(loop), database_(std::move(database)), is_writer_(is_writer), thread_([this] { serve(); }) {}

DatabaseWorker::~DatabaseWorker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void DatabaseWorker::submit(std::unique_ptr<Waiting> call) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < most_waiting && !stop_) waiting_.push_back(std::move(call));
    figures_.waiting = waiting_.size();
  }
  if (!call) return wake_.notify_one();
  // NOLINTNEXTLINE(bugprone-use-after-move): where it was moved, this has returned
  call->failure = std::make_exception_ptr(StorageError("too much waits to be stored; the disk of DATA_DIR is too slow"));
  Group refused;
  refused.push_back(std::move(call));
  answer(std::move(refused));
}

void DatabaseWorker::answer(Group group, std::optional<std::chrono::microseconds> commit) {
  boost::asio::post(loop_, [group = std::move(group), commit, times = commit_times_] {
    if (commit && times != nullptr) times->observe(static_cast<std::uint64_t>(commit->count()));
    for (const auto& each : group) each->answer();
  });
}

void DatabaseWorker::serve() {
  Group group;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
      if (waiting_.empty()) break;
      group.swap(waiting_);
      figures_.waiting = 0;
    }
    std::optional<std::chrono::microseconds> commit;
    if (is_writer_) {
      commit = run_group(group);
    } else {
      for (const auto& each : group) {
        try {
          each->work(*database_);
        } catch (...) {
          each->failure = std::current_exception();
        }
      }
    }
    figures_.jobs += group.size();
    answer(std::exchange(group, {}), commit);
  }
  if (!is_writer_) return;
  try {
    // A stopped daemon leaves one file, which is easiest to copy.
    database_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (const StorageError& error) {
    spdlog::warn("at the end: {}", error.what());
  }
}

void DatabaseWorker::run_one(Waiting& call) {
  database_->run("SAVEPOINT job");
  try {
    call.work(*database_);
    database_->run("RELEASE job");
  } catch (...) {
    call.failure = std::current_exception();
    if (database_->in_transaction()) database_->execute("ROLLBACK TO job; RELEASE job");
  }
}

std::chrono::microseconds DatabaseWorker::run_group(const Group& group) {
  const auto begun = std::chrono::steady_clock::now();
  try {
    database_->run("BEGIN IMMEDIATE");
    for (const auto& each : group) {
      run_one(*each);
      // A full disk or an I/O error makes SQLite undo everything. What follows would then be committed one by one, behind
      // the backs of callers who are told that it was not.
      if (!database_->in_transaction()) throw StorageError("the database undid the changes of a whole group; is the disk full?");
    }
    database_->run("COMMIT");
  } catch (const std::exception& error) {
    spdlog::error("{} changes could not be stored: {}", group.size(), error.what());
    ++figures_.failed_commits;
    const auto failure = std::current_exception();
    for (const auto& each : group) {
      if (!each->failure) each->failure = failure;
    }
    try {
      if (database_->in_transaction()) database_->execute("ROLLBACK");
    } catch (const std::exception& again) {
      spdlog::error("rolling back: {}", again.what());
    }
  }
  ++figures_.groups;
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
}

}  // namespace proxyxai
