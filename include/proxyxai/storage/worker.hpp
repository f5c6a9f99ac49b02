#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
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

#include "proxyxai/base/metrics.hpp"
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
    std::atomic<std::uint64_t> waiting{0}, groups{0}, jobs{0}, failed_commits{0};
  };

  DatabaseWorker(boost::asio::io_context& loop, std::unique_ptr<Database> database, bool is_writer);
  /// Runs what waits, then ends the thread.
  ~DatabaseWorker();
  DatabaseWorker(const DatabaseWorker&) = delete;
  DatabaseWorker& operator=(const DatabaseWorker&) = delete;

  /// Runs `job(Database&)` and returns its result once it is committed; throws what it threw, or StorageError. Loop thread.
  template <class Job, class Result = std::invoke_result_t<Job&, Database&>>
  Task<Result> run(Job job);

  [[nodiscard]] const Figures& figures() const { return figures_; }
  /// Of a writer, before its first job: where the time that each commit takes is counted, which outlives the loop's work.
  void observe_commits(Histogram& times) { commit_times_ = &times; }

 private:
  /// A job that waits. It is made on the loop, worked on the worker's thread, and answered and destroyed on the loop: nothing
  /// that the caller or an exception holds is let go elsewhere.
  class Waiting {
   public:
    virtual ~Waiting() = default;
    virtual void work(Database& database) = 0;  // worker's thread; may throw
    virtual void answer() = 0;                  // loop thread; resumes the caller with `failure`

    std::exception_ptr failure;
  };
  using Group = std::vector<std::unique_ptr<Waiting>>;

  /// The one kind there is. Job and result live in the caller's coroutine, which the handler keeps alive.
  template <class Job, class Result, class Handler>
  class Call;

  void submit(std::unique_ptr<Waiting> call);
  void serve();
  /// How long it took.
  std::chrono::microseconds run_group(const Group& group);
  void run_one(Waiting& call);
  void answer(Group group, std::optional<std::chrono::microseconds> commit = std::nullopt);

  boost::asio::io_context& loop_;
  const std::unique_ptr<Database> database_;
  const bool is_writer_;
  Figures figures_;
  Histogram* commit_times_ = nullptr;

  std::mutex mutex_;
  std::condition_variable wake_;
  Group waiting_;               // under mutex_
  bool stop_ = false;           // under mutex_
  std::thread thread_;
};

template <class Job, class Result, class Handler>
class DatabaseWorker::Call final : public Waiting {
 public:
  Call(boost::asio::io_context& loop, Job& job, std::optional<Result>& result, Handler handler)
      : guard_(boost::asio::make_work_guard(loop)), job_(job), result_(result), handler_(std::move(handler)) {}

  void work(Database& database) override { result_.emplace(job_(database)); }
  void answer() override { std::move(handler_)(std::move(failure)); }

 private:
  // Keeps the loop running while only a job is under way.
  boost::asio::executor_work_guard<Executor> guard_;
  Job& job_;
  std::optional<Result>& result_;
  Handler handler_;
};

template <class Job, class Result>
Task<Result> DatabaseWorker::run(Job job) {
  static_assert(!std::is_void_v<Result>, "return something, if only true");
  std::optional<Result> result;
  auto initiate = [this, &job, &result](auto handler) {
    submit(std::make_unique<Call<Job, Result, decltype(handler)>>(loop_, job, result, std::move(handler)));
  };
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void(std::exception_ptr)>(initiate, use_task);
  co_return std::move(*result);
}

}  // namespace proxyxai
