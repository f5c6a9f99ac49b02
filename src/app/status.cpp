#include "status.hpp"

#include <nlohmann/json.hpp>

#include "process_metrics.hpp"

namespace proxyxai {
namespace {

using nlohmann::ordered_json;

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

void Status::refresh(Metrics& metrics) const {
  const Parts& p = parts_;
  const auto gauge = [&metrics](const char* name, const char* help, std::uint64_t value, std::string_view labels = {}) {
    metrics.gauge(name, help, labels).set(static_cast<std::int64_t>(value));
  };
  const auto counter = [&metrics](const char* name, const char* help, std::uint64_t value, std::string_view labels = {}) {
    metrics.counter(name, help, labels).set(value);
  };
  gauge("proxyxai_build_info", "Always 1; the version is its label.", 1, "version=\"" PROXYXAI_VERSION "\"");
  gauge("proxyxai_client_connections", "Open connections of clients.", p.listener.open_connections());
  gauge("proxyxai_requests_in_flight", "Requests between their head and their end.", p.gateway.in_flight());
  gauge("proxyxai_body_memory_bytes", "Memory that request bodies hold of their budget.", p.bodies.used());
  counter("proxyxai_access_log_dropped_lines_total", "Access log lines dropped because the log could not keep up.", p.access_log.dropped());
  metrics.gauge("proxyxai_held_dollars", "Credit of accounts that is reserved for requests in flight.", {}, Scale::nano).set(p.accounts.held().nanos);
  const auto counts = p.pool.counts();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::string label = std::string("state=\"") + to_string(static_cast<KeyState>(i)) + '"';
    gauge("proxyxai_upstream_keys", "Upstream keys by state.", counts[i], label);
  }
  // A key that has been deleted is not told of for ever.
  metrics.forget("proxyxai_upstream_key_requests_total");
  metrics.forget("proxyxai_upstream_key_failures_total");
  for (const KeyView& key : p.keys.list()) {
    const std::string label = "key=\"" + std::to_string(key.id) + '"';
    counter("proxyxai_upstream_key_requests_total", "Attempts made with an upstream key since the start.", key.requests_here, label);
    counter("proxyxai_upstream_key_failures_total", "Attempts with an upstream key since the start that ended in its or upstream's fault.", key.failures_here, label);
  }
  const DatabaseWorker::Figures& writer = p.store.writer_figures();
  gauge("proxyxai_writer_waiting_jobs", "Changes that wait to be stored.", writer.waiting);
  counter("proxyxai_writer_commits_total", "Groups of changes that were committed, or failed to be.", writer.groups);
  counter("proxyxai_writer_jobs_total", "Changes that were worked on.", writer.jobs);
  counter("proxyxai_writer_failed_commits_total", "Groups of changes that could not be committed.", writer.failed_commits);
  gauge("proxyxai_ledger_waiting_requests", "Requests that wait to be committed.", p.ledger.waiting());
  gauge("proxyxai_pending_bills", "Batches, background responses and runs that are charged when they end.", p.pending.size());
  gauge("proxyxai_ledger_healthy", "0 while requests cannot be written down and none is served.", p.ledger.is_healthy() ? 1 : 0);
  const Mailer::Figures& mail = p.mailer.figures();
  counter("proxyxai_mail_sent_total", "Mails sent.", mail.sent);
  counter("proxyxai_mail_failed_total", "Mails given up.", mail.failed);
  counter("proxyxai_mail_dropped_total", "Mails dropped because too many waited.", mail.dropped);
  gauge("proxyxai_mail_waiting", "Mails that wait to be sent.", mail.waiting);
  std::uint64_t kept = 0, opened = 0, resumed = 0;
  p.origins.for_each([&](const Origin& origin) {
    kept += origin.kept();
    opened += origin.opened();
    resumed += origin.resumed();
  });
  gauge("proxyxai_upstream_kept_connections", "Idle connections to upstreams.", kept);
  counter("proxyxai_upstream_opened_connections_total", "Connections to upstreams that were opened.", opened);
  counter("proxyxai_upstream_resumed_sessions_total", "TLS sessions to upstreams that were resumed.", resumed);
  set_process_metrics(metrics);
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
