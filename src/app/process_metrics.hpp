#pragma once

#include <cstdint>

#include "proxyxai/base/metrics.hpp"

namespace proxyxai {

/// Resident memory of this process; 0 where the system does not tell.
std::uint64_t resident_bytes();

/// The `process_` metrics that Prometheus' client libraries agree on, of this process; those the system does not tell are left out.
void set_process_metrics(Metrics& metrics);

}  // namespace proxyxai
