#pragma once

#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "proxyxai/base/task.hpp"

namespace proxyxai {

/// Runs `task` on `loop` to its end; returns its value or throws what it threw. What else the loop has to do is done too.
template <class T>
T run_task(boost::asio::io_context& loop, Task<T> task) {
  std::exception_ptr failure;
  bool ended = false;
  std::optional<std::conditional_t<std::is_void_v<T>, bool, T>> result;
  if constexpr (std::is_void_v<T>) {
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown) {
      ended = true;
      failure = thrown;
    });
  } else {
    boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr thrown, T value) {
      ended = true;
      failure = thrown;
      if (!thrown) result.emplace(std::move(value));
    });
  }
  loop.restart();
  loop.run();
  if (!ended) throw std::logic_error("the loop ran dry before the task had ended");
  if (failure) std::rethrow_exception(failure);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace proxyxai
