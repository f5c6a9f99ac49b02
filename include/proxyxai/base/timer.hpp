#pragma once

#include <chrono>

#include <boost/asio/steady_timer.hpp>

#include "proxyxai/base/task.hpp"

namespace proxyxai {

/// A timer of the event loop, by the loop's concrete type. Loop thread.
using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

}  // namespace proxyxai
