#include "proxyxai/storage/worker.hpp"

#include <chrono>

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

void DatabaseWorker::submit(Entry entry) {
  bool taken = false;
  {
    const std::lock_guard lock(mutex_);
    taken = waiting_.size() < most_waiting && !stop_;
    if (taken) waiting_.push_back(std::move(entry));
    figures_.waiting = waiting_.size();
  }
  if (taken) wake_.notify_one();
  else entry.complete(std::make_exception_ptr(StorageError("too much waits to be stored; the disk of DATA_DIR is too slow")));
}

void DatabaseWorker::serve() {
  std::vector<Entry> group;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
      if (waiting_.empty()) break;
      group.swap(waiting_);
      figures_.waiting = 0;
    }
    if (is_writer_) {
      run_group(group);
    } else {
      for (Entry& each : group) {
        try {
          each.work(*database_);
        } catch (...) {
          each.failure = std::current_exception();
        }
      }
    }
    figures_.jobs += group.size();
    for (Entry& each : group) each.complete(each.failure);
    group.clear();
  }
  if (!is_writer_) return;
  try {
    // A stopped daemon leaves one file, which is easiest to copy.
    database_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (const StorageError& error) {
    spdlog::warn("at the end: {}", error.what());
  }
}

void DatabaseWorker::run_one(Entry& entry) {
  database_->execute("SAVEPOINT job");
  try {
    entry.work(*database_);
    database_->execute("RELEASE job");
  } catch (...) {
    entry.failure = std::current_exception();
    if (database_->in_transaction()) database_->execute("ROLLBACK TO job; RELEASE job");
  }
}

void DatabaseWorker::run_group(std::vector<Entry>& group) {
  const auto begun = std::chrono::steady_clock::now();
  try {
    database_->execute("BEGIN IMMEDIATE");
    for (Entry& each : group) {
      run_one(each);
      // A full disk or an I/O error makes SQLite undo everything. What follows would then be committed one by one, behind
      // the backs of callers who are told that it was not.
      if (!database_->in_transaction()) throw StorageError("the database undid the changes of a whole group; is the disk full?");
    }
    database_->execute("COMMIT");
  } catch (const std::exception& error) {
    spdlog::error("{} changes could not be stored: {}", group.size(), error.what());
    ++figures_.failed_commits;
    const auto failure = std::current_exception();
    for (Entry& each : group) {
      if (!each.failure) each.failure = failure;
    }
    try {
      if (database_->in_transaction()) database_->execute("ROLLBACK");
    } catch (const std::exception& again) {
      spdlog::error("rolling back: {}", again.what());
    }
  }
  ++figures_.groups;
  const auto took = std::chrono::steady_clock::now() - begun;
  figures_.commit_microseconds += static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
}

}  // namespace proxyxai
