#include "proxyxai/proxy/observer.hpp"

#include <algorithm>
#include <string>

#include "proxyxai/http/trace.hpp"

namespace proxyxai {
namespace {

std::uint64_t microseconds_of(std::chrono::nanoseconds span) {
  return span.count() > 0 ? static_cast<std::uint64_t>(span.count() / 1000) : 0;
}

Observer::ByFault values_of(const std::array<Counter*, Observer::faults>& counters) {
  Observer::ByFault values;
  std::transform(counters.begin(), counters.end(), values.begin(), [](const Counter* each) { return each->value(); });
  return values;
}

}  // namespace

Observer::Observer(Metrics& metrics, AccessLog& log, Clock& clock)
    : metrics_(metrics),
      log_(log),
      clock_(clock),
      bytes_in_(metrics.counter("proxyxai_client_received_bytes_total", "Bytes of requests read from clients.")),
      bytes_out_(metrics.counter("proxyxai_client_sent_bytes_total", "Bytes of answers written to clients.")),
      total_(metrics.histogram("proxyxai_request_duration_seconds", "From a request's head to the end of its answer.")),
      added_(metrics.histogram("proxyxai_added_duration_seconds", "Time to the first byte of the answer, less the time spent on upstream.")),
      first_byte_(metrics.histogram("proxyxai_first_byte_duration_seconds", "From a request's head to the first byte of its answer.")) {
  for (std::size_t i = 0; i < faults; ++i) {
    const std::string label = std::string("fault=\"") + to_string(static_cast<Fault>(i)) + '"';
    attempts_[i] = &metrics.counter("proxyxai_attempts_total", "Attempts at upstream, by what they came to.", label);
    retries_[i] = &metrics.counter("proxyxai_retries_total", "Attempts that were followed by another, by why.", label);
  }
}

Counter& Observer::requests(std::uint8_t endpoint, unsigned status) {
  Counter*& counter = requests_[static_cast<std::uint32_t>(endpoint) << 16 | status];
  if (counter == nullptr) {
    const std::string labels = "endpoint=\"" + std::string(endpoint_names()[endpoint]) + "\",status=\"" + std::to_string(status) + '"';
    counter = &metrics_.counter("proxyxai_requests_total", "Requests of clients, by path class and the status they were given; 499: the client left.", labels);
  }
  return *counter;
}

Counter& Observer::others(unsigned status) {
  Counter*& counter = others_[status];
  if (counter == nullptr) {
    counter = &metrics_.counter("proxyxai_other_requests_total", "Requests for the management API, and those that were refused for what their head is, by status.",
                                "status=\"" + std::to_string(status) + '"');
  }
  return *counter;
}

Counter& Observer::refusals(std::string_view reason) {
  const auto found = refusals_.find(reason);
  if (found != refusals_.end()) return *found->second;
  Counter& counter = metrics_.counter("proxyxai_refusals_total", "Requests that were refused here, by reason.",
                                      "reason=\"" + escape_label(reason) + '"');
  refusals_.emplace(reason, &counter);
  return counter;
}

Observer::Totals Observer::totals() const {
  Totals totals{{}, {}, {}, values_of(attempts_), values_of(retries_), total_.counts(), first_byte_.counts(), added_.counts()};
  for (const auto& [key, counter] : requests_) {
    totals.requests.push_back({endpoint_names()[key >> 16], key & 0xffff, counter->value()});
  }
  for (const auto& [status, counter] : others_) totals.others.emplace_back(status, counter->value());
  for (const auto& [reason, counter] : refusals_) totals.refusals.emplace_back(reason, counter->value());
  return totals;
}

void Observer::on_attempt(const Attempt& attempt) { attempts_[static_cast<std::size_t>(attempt.fault)]->add(); }

void Observer::on_retry(const Attempt& attempt) { retries_[static_cast<std::size_t>(attempt.fault)]->add(); }

void Observer::on_other(const AccessRecord& record) {
  if (!record.reason.empty()) refusals(record.reason).add();
  others(record.status).add();
  bytes_in_.add(record.bytes_in);
  bytes_out_.add(record.bytes_out);
  if (log_.enabled()) log_.write(record);
}

void Observer::on_settled(const RequestContext& request, std::string_view client_address) {
  const Instant now = clock_.now();
  const std::uint64_t in = request.client.bytes_in(), out = request.client.bytes_out();
  const auto took = microseconds_of(now - request.started);
  const bool answered = request.first_byte != Instant{};
  const auto first = answered ? microseconds_of(request.first_byte - request.started) : took;
  const auto upstream = microseconds_of(request.upstream_time);
  requests(request.route.endpoint, request.status).add();
  bytes_in_.add(in);
  bytes_out_.add(out);
  total_.observe(took);
  if (request.attempts > 0) {
    first_byte_.observe(first);
    added_.observe(first > upstream ? first - upstream : 0);
  } else if (!request.reason.empty()) {
    refusals(request.reason).add();
  }
  if (!log_.enabled()) return;
  AccessRecord record;
  record.time = clock_.wall_now();
  record.request_id = request.request_id;
  record.trace = trace_id(request.client.fields());
  record.client = client_address;
  record.method = request.client.request().method();
  record.path = request.path;
  if (request.account) record.account = request.account->row.name;
  record.status = request.status;
  record.reason = request.reason;
  record.model = request.facts.model;
  record.bytes_in = in;
  record.bytes_out = out;
  record.attempts = request.attempts;
  record.key_id = request.exchange.attempt().key;
  record.duration_us = took;
  record.first_byte_us = first;
  record.upstream_us = upstream;
  log_.write(record);
}

}  // namespace proxyxai
