#pragma once

#include <functional>

#include "proxyxai/base/task.hpp"

namespace proxyxai {

/// Waits until `is_so`, which it asks every 20 ms, for 5 s at most. False: it is still not so. Loop thread.
Task<bool> wait_until(std::function<bool()> is_so);

}  // namespace proxyxai
