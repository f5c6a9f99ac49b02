#pragma once

#include "proxyxai/base/attempt.hpp"
#include "proxyxai/base/task.hpp"
#include "proxyxai/keys/pool.hpp"

namespace proxyxai {

/// Asks upstream whether a key is good, without a client's request. Implemented over the upstream module by the wiring.
class Prober {
 public:
  virtual ~Prober() = default;
  /// `GET /v1/models`, and when that is answered well and `spend` is set the cheapest call that needs credit. The
  /// attempt's fault is classified as for any request; never throws for upstream's faults.
  virtual Task<Attempt> probe(UpstreamKeyPtr key, bool spend) = 0;
};

}  // namespace proxyxai
