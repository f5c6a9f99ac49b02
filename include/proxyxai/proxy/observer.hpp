#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

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

  static constexpr std::size_t faults = static_cast<std::size_t>(Fault::ours) + 1;
  using ByFault = std::array<std::uint64_t, faults>;
  /// What was counted since the start. The views live as long as this.
  struct Totals {
    struct Requests {
      std::string_view endpoint;
      unsigned status;
      std::uint64_t count;
    };
    std::vector<Requests> requests;
    std::vector<std::pair<unsigned, std::uint64_t>> others;            ///< By status.
    std::vector<std::pair<std::string_view, std::uint64_t>> refusals;  ///< By reason.
    ByFault attempts, retries;
    Histogram::Counts duration, first_byte, added;
  };
  [[nodiscard]] Totals totals() const;

 private:
  Counter& requests(std::uint8_t endpoint, unsigned status);
  Counter& others(unsigned status);
  Counter& refusals(std::string_view reason);

  Metrics& metrics_;
  AccessLog& log_;
  Clock& clock_;
  std::unordered_map<std::uint32_t, Counter*> requests_;  // by endpoint and status
  std::unordered_map<unsigned, Counter*> others_;            // by status
  std::map<std::string, Counter*, std::less<>> refusals_;    // by reason
  std::array<Counter*, faults> attempts_{}, retries_{};
  Counter &bytes_in_, &bytes_out_;
  Histogram &total_, &added_, &first_byte_;
};

}  // namespace proxyxai
