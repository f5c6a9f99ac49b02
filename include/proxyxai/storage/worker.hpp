#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "proxyxai/base/task.hpp"
#include "proxyxai/storage/database.hpp"

namespace proxyxai {

/// A thread that owns one database connection and runs jobs on it; callers are coroutines of the event loop and are resumed
/// there.
///
/// As a writer it commits in groups: it takes everything that waits, runs each job in a savepoint of its own within one
/// transaction, commits once, and only then resumes the callers. A job that fails is undone alone; a commit that fails
/// (a full disk) fails every job of its group, and the next group starts anew. As a reader it runs jobs one by one outside
/// of any transaction.
class DatabaseWorker {
 public:
  /// Jobs that may wait; beyond, `run` throws StorageError at once.
  static constexpr std::size_t most_waiting = 65'536;

  /// Figures for metrics; any thread.
  struct Figures {
    std::atomic<std::uint64_t> waiting{0}, groups{0}, jobs{0}, failed_commits{0}, commit_microseconds{0};
  };

  DatabaseWorker(boost::asio::io_context& loop, std::unique_ptr<Database> database, bool is_writer);
  /// Runs what waits, then ends the thread.
  ~DatabaseWorker();

  /// Runs `job(Database&)` and returns its result once it is committed; throws what it threw, or StorageError. Loop thread.
  template <class Job, class Result = std::invoke_result_t<Job&, Database&>>
  Task<Result> run(Job job);

  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  /// A job that waits; it has been answered when both were called.
  struct Entry {
    std::function<void(Database&)> work;                 // on the worker's thread; may throw
    std::function<void(std::exception_ptr)> complete;    // on the worker's thread; resumes the caller on the loop
    std::exception_ptr failure;
  };
  void submit(Entry entry);
  void serve();
  void run_group(std::vector<Entry>& group);
  void run_one(Entry& entry);

  boost::asio::io_context& loop_;
  const std::unique_ptr<Database> database_;
  const bool is_writer_;
  Figures figures_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Entry> waiting_;  // under mutex_
  bool stop_ = false;           // under mutex_
  std::thread thread_;
};

template <class Job, class Result>
Task<Result> DatabaseWorker::run(Job job) {
  static_assert(!std::is_void_v<Result>, "return something, if only true");
  struct Shared {
    explicit Shared(Job given) : work(std::move(given)) {}
    Job work;
    std::optional<Result> result;
  };
  auto shared = std::make_shared<Shared>(std::move(job));
  auto initiate = [this, shared](auto handler) {
    // std::function asks for a copyable callable.
    auto kept = std::make_shared<decltype(handler)>(std::move(handler));
    Entry entry;
    entry.work = [shared](Database& database) { shared->result.emplace(shared->work(database)); };
    // The guard keeps the loop running while only a job is under way.
    entry.complete = [guard = boost::asio::make_work_guard(loop_), kept](std::exception_ptr failure) {
      boost::asio::post(guard.get_executor(), [kept, failure] { std::move (*kept)(failure); });
    };
    submit(std::move(entry));
  };
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void(std::exception_ptr)>(initiate, use_task);
  co_return std::move(*shared->result);
}

}  // namespace proxyxai
