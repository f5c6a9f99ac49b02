#include "status.hpp"

#include <fstream>

#include <nlohmann/json.hpp>
#include <unistd.h>

namespace proxyxai {
namespace {

using nlohmann::ordered_json;

/// 0 where the system does not tell.
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  if (!(statm >> size >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// Only what has happened: most faults never do.
ordered_json by_fault(const Observer::ByFault& counts) {
  ordered_json shown = ordered_json::object();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) shown[to_string(static_cast<Fault>(i))] = counts[i];
  }
  return shown;
}

struct RequestSums {
  std::uint64_t total = 0, ok = 0, client_errors = 0, server_errors = 0, clients_left = 0;

  void add(unsigned status, std::uint64_t count) {
    total += count;
    (status == client_left ? clients_left : status >= 500 ? server_errors : status >= 400 ? client_errors : ok) += count;
  }
  [[nodiscard]] ordered_json json() const {
    return {{"Total", total}, {"Ok", ok}, {"ClientErrors", client_errors}, {"ServerErrors", server_errors}, {"ClientsLeft", clients_left}};
  }
};

}  // namespace

void Status::set_gauges(Metrics& metrics) const {
  const Parts& p = parts_;
  const auto set = [&metrics](const char* name, const char* help, std::uint64_t value, std::string_view labels = {}) {
    metrics.gauge(name, help, labels).set(static_cast<std::int64_t>(value));
  };
  set("proxyxai_client_connections", "Open connections of clients.", p.listener.open_connections());
  set("proxyxai_requests_in_flight", "Requests between their head and their end.", p.gateway.in_flight());
  set("proxyxai_body_memory_bytes", "Memory that request bodies hold of their budget.", p.bodies.used());
  set("proxyxai_access_log_dropped_lines", "Access log lines dropped because the log could not keep up.", p.access_log.dropped());
  const auto counts = p.pool.counts();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::string label = std::string("state=\"") + to_string(static_cast<KeyState>(i)) + '"';
    set("proxyxai_upstream_keys", "Upstream keys by state.", counts[i], label);
  }
  for (const KeyView& key : p.keys.list()) {
    const std::string label = "key=\"" + std::to_string(key.id) + '"';
    set("proxyxai_upstream_key_requests", "Attempts made with an upstream key.", key.health.requests, label);
    set("proxyxai_upstream_key_failures", "Attempts with an upstream key that ended in its or upstream's fault.", key.health.failures, label);
  }
  const DatabaseWorker::Figures& writer = p.store.writer_figures();
  set("proxyxai_writer_waiting_jobs", "Changes that wait to be stored.", writer.waiting);
  set("proxyxai_writer_commits", "Commits since the start.", writer.groups);
  set("proxyxai_writer_jobs", "Changes stored since the start.", writer.jobs);
  set("proxyxai_writer_failed_commits", "Commits that failed since the start.", writer.failed_commits);
  set("proxyxai_writer_commit_microseconds", "Time spent on commits since the start.", writer.commit_microseconds);
  set("proxyxai_ledger_waiting_requests", "Requests that wait to be committed.", p.ledger.waiting());
  set("proxyxai_pending_bills", "Batches, background responses and runs that are charged when they end.", p.pending.size());
  set("proxyxai_ledger_healthy", "0 while requests cannot be written down and none is served.", p.ledger.is_healthy() ? 1 : 0);
  const Mailer::Figures& mail = p.mailer.figures();
  set("proxyxai_mail_sent", "Mails sent since the start.", mail.sent);
  set("proxyxai_mail_failed", "Mails given up since the start.", mail.failed);
  set("proxyxai_mail_dropped", "Mails dropped since the start because too many waited.", mail.dropped);
  set("proxyxai_mail_waiting", "Mails that wait to be sent.", mail.waiting);
  std::uint64_t kept = 0, opened = 0, resumed = 0;
  p.origins.for_each([&](const Origin& origin) {
    kept += origin.kept();
    opened += origin.opened();
    resumed += origin.resumed();
  });
  set("proxyxai_upstream_kept_connections", "Idle connections to upstreams.", kept);
  set("proxyxai_upstream_opened_connections", "Connections to upstreams opened since the start.", opened);
  set("proxyxai_upstream_resumed_sessions", "TLS sessions resumed since the start.", resumed);
  if (const std::uint64_t bytes = resident_bytes(); bytes > 0) set("process_resident_memory_bytes", "Resident memory of the daemon.", bytes);
}

std::string Status::stats() const {
  const Parts& p = parts_;
  const Observer::Totals totals = p.observer.totals();
  RequestSums sums, management;
  std::map<std::string_view, std::uint64_t> by_endpoint;
  for (const auto& [endpoint, status, count] : totals.requests) {
    sums.add(status, count);
    by_endpoint[endpoint] += count;
  }
  for (const auto& [status, count] : totals.others) management.add(status, count);
  ordered_json endpoints = ordered_json::object(), refusals = ordered_json::object(), keys = ordered_json::object(), bounds = ordered_json::array();
  for (const auto& [endpoint, count] : by_endpoint) endpoints[std::string(endpoint)] = count;
  for (const auto& [reason, count] : totals.refusals) refusals[std::string(reason)] = count;
  const auto counts = p.pool.counts();
  for (std::size_t i = 0; i < counts.size(); ++i) keys[to_string(static_cast<KeyState>(i))] = counts[i];
  for (const std::uint64_t bound : Histogram::bounds) bounds.push_back(static_cast<double>(bound) / 1e6);
  const ordered_json shown{
      {"object", "stats"},
      {"Version", PROXYXAI_VERSION},
      {"StartedAt", to_rfc3339(started_at_)},
      {"Now", to_rfc3339(p.clock.wall_now())},
      {"Requests", sums.json()},
      {"Management", management.json()},
      {"ByEndpoint", std::move(endpoints)},
      {"Refusals", std::move(refusals)},
      {"Attempts", by_fault(totals.attempts)},
      {"Retries", by_fault(totals.retries)},
      {"Latency", {{"Bounds", std::move(bounds)}, {"Total", totals.duration}, {"FirstByte", totals.first_byte}, {"Added", totals.added}}},
      {"InFlight", p.gateway.in_flight()},
      {"Connections", p.listener.open_connections()},
      {"Keys", std::move(keys)},
      {"LedgerHealthy", p.ledger.is_healthy()},
      {"WaitingWrites", p.store.writer_figures().waiting.load()},
      {"ResidentBytes", resident_bytes()}};
  return shown.dump();
}

}  // namespace proxyxai
