#include "recorder.hpp"

#include <chrono>

namespace mock {

std::int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::uint64_t Recorder::start(const Request& request, std::uint64_t connection, bool tls_resumed) {
  ordered_json headers = ordered_json::array();
  for (const auto& [name, value] : request.headers) headers.push_back({name, value});
  kept_.push_back({{"seq", next_},
                   {"method", request.method},
                   {"target", request.target},
                   {"http_version", request.version},
                   {"headers", headers},
                   {"key", request.key},
                   {"body_size", request.body_size},
                   {"body_sha256", request.body_sha256},
                   {"body_head", request.body.substr(0, 4096)},
                   {"connection_id", connection},
                   {"tls_resumed", tls_resumed},
                   {"started_ms", now_ms()},
                   {"outcome", "running"}});
  if (kept_.size() > most) kept_.pop_front();
  ++total_;
  ++by_key_[request.key];
  return next_++;
}

void Recorder::finish(std::uint64_t number, const std::string& outcome, unsigned status) {
  if (outcome == "client_gone") ++gone_;
  ++by_status_[std::to_string(status)];
  if (kept_.empty() || number < kept_.front()["seq"].get<std::uint64_t>()) return;
  ordered_json& entry = kept_[number - kept_.front()["seq"].get<std::uint64_t>()];
  entry["outcome"] = outcome;
  entry["ended_ms"] = now_ms();
}

void Recorder::clear() {
  kept_.clear();
  total_ = gone_ = 0;
  by_key_.clear();
  by_status_.clear();
}

void Recorder::on_open(bool resumed) {
  ++open_;
  ++opened_;
  if (resumed) ++resumed_;
}

ordered_json Recorder::requests(std::uint64_t since) const {
  ordered_json list = ordered_json::array();
  for (const ordered_json& each : kept_) {
    if (each["seq"].get<std::uint64_t>() > since) list.push_back(each);
  }
  return list;
}

ordered_json Recorder::stats() const {
  return {{"requests", total_},       {"by_key", by_key_},    {"by_status", by_status_}, {"connections_open", open_},
          {"connections_total", opened_}, {"tls_resumed", resumed_}, {"client_gone", gone_},     {"now_ms", now_ms()}};
}

std::uint64_t Recorder::figure(const std::string& name) const {
  const ordered_json all = stats();
  const auto found = all.find(name);
  return found != all.end() && found->is_number() ? found->get<std::uint64_t>() : 0;
}

}  // namespace mock
