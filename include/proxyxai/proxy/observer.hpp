#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>

#include "proxyxai/base/access_log.hpp"
#include "proxyxai/base/metrics.hpp"
#include "proxyxai/proxy/request_context.hpp"

namespace proxyxai {

/// Counters, histograms and the access log of the proxy: what `settle` tells the operator. Loop thread only.
class Observer {
 public:
  Observer(Metrics& metrics, AccessLog& log, Clock& clock);

  /// Once for every request, whatever became of it.
  void on_settled(const RequestContext& request, std::string_view client_address);
  /// Once for every attempt.
  void on_attempt(const Attempt& attempt);
  void on_retry(const Attempt& attempt);
  /// A request that never became one of the proxy's: refused by the header gate, or for the management API.
  void on_other(const AccessRecord& record);

 private:
  Counter& requests(std::uint8_t endpoint, unsigned status);
  Counter& refusals(std::string_view reason);

  static constexpr std::size_t faults = static_cast<std::size_t>(Fault::ours) + 1;
  Metrics& metrics_;
  AccessLog& log_;
  Clock& clock_;
  std::unordered_map<std::uint32_t, Counter*> requests_;  // by endpoint and status
  std::array<Counter*, faults> attempts_{}, retries_{};
  Counter &bytes_in_, &bytes_out_;
  Histogram &total_, &added_, &first_byte_;
};

}  // namespace proxyxai
