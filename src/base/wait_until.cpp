#include "proxyxai/base/wait_until.hpp"

#include <boost/asio/this_coro.hpp>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/timer.hpp"

namespace proxyxai {
namespace {

constexpr milliseconds patience{5'000}, glance{20};

}  // namespace

Task<bool> wait_until(std::function<bool()> is_so) {
  Timer timer(co_await boost::asio::this_coro::executor);
  for (milliseconds waited{0}; !is_so() && waited < patience; waited += glance) {
    timer.expires_after(glance);
    co_await timer.async_wait(use_result_task);
  }
  co_return is_so();
}

}  // namespace proxyxai
