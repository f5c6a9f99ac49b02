#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace proxyxai {

/// The executor of the one event loop, by its concrete type: `any_io_executor` would cost an indirect call for each
/// asynchronous operation on the request path.
using Executor = boost::asio::io_context::executor_type;

/// A coroutine that runs on the event loop.
template <class T = void>
using Task = boost::asio::awaitable<T, Executor>;

/// Completion token for Task: resumes the coroutine, throws `boost::system::system_error` on failure.
inline constexpr boost::asio::use_awaitable_t<Executor> use_task{};

/// Completion token for Task: resumes the coroutine with a tuple whose first element is the error code.
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<Executor>> use_result_task{use_task};

}  // namespace proxyxai
