#pragma once

#include <type_traits>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "proxyxai/base/task.hpp"

namespace proxyxai {

/// Runs `work` on a thread of `pool` and resumes on the loop with its result: the way for anything that may block (a file,
/// a long computation). `work` must not throw and must not touch what belongs to the loop.
template <class Work, class Result = std::invoke_result_t<Work&>>
Task<Result> off_loop(boost::asio::thread_pool& pool, Work work) {
  // Named, not written into the call: GCC 12 destroys the temporaries of a co_await's arguments twice.
  auto initiate = [&pool, &work](auto handler) {
    boost::asio::post(pool, [handler = std::move(handler), job = std::move(work)]() mutable {
      Result result = job();
      const auto executor = boost::asio::get_associated_executor(handler);
      boost::asio::post(executor, [handler = std::move(handler), result = std::move(result)]() mutable {
        std::move(handler)(std::move(result));
      });
    });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<Executor>, void(Result)>(initiate, use_task);
}

}  // namespace proxyxai
