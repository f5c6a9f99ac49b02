#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "proxyxai/base/origin_address.hpp"
#include "proxyxai/base/timer.hpp"
#include "proxyxai/net/tls_context.hpp"
#include "proxyxai/upstream/connection.hpp"

namespace proxyxai {

/// How connections to upstreams are made; the settings of the same names.
struct UpstreamSettings {
  milliseconds connect_timeout{5'000};  ///< For its name, and again for connection and handshakes.
  milliseconds kept_idle{60'000};       ///< How long an unused connection is kept.
  std::size_t kept_connections = 1'024; ///< Per origin.
  milliseconds dns_refresh{30'000};
  std::string proxy;                    ///< `http://[user:password@]host:port` (UPSTREAM_PROXY), or empty.
};

/// What is waited for while a connection is made, so that a client that leaves can end it. Loop thread only.
class Connecting {
 public:
  /// Ends it with `cancelled`.
  void cancel();

 private:
  friend class Origin;
  Timer* name_ = nullptr;
  UpstreamConnection* connection_ = nullptr;
  bool cancelled_ = false;
};

/// One upstream service: its addresses, its kept connections, its TLS sessions. Loop thread only; lives as long as the
/// daemon, so that connections may refer to it.
class Origin {
 public:
  Origin(boost::asio::io_context& loop, Watchdog& watchdog, const ClientTls& tls, const UpstreamSettings& settings,
         OriginAddress address);
  ~Origin();
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;

  [[nodiscard]] const OriginAddress& address() const { return address_; }

  /// A kept connection that was silent until now, newest first, or null.
  std::unique_ptr<UpstreamConnection> take_kept();

  struct Connected {
    std::unique_ptr<UpstreamConnection> connection;  ///< Null: it failed.
    std::string_view reason;                         ///< `dns_failed`, `connect_failed`, `connect_timeout`, `tls_failed`,
                                                     ///< `certificate_rejected`, `proxy_refused`, `cancelled`.
  };
  /// A new connection with its TLS handshake done. `connecting` must be fresh, and outlive it.
  Task<Connected> connect(Connecting& connecting);

  /// Keeps a connection whose last exchange ended cleanly.
  void keep(std::unique_ptr<UpstreamConnection> connection);

  /// Connections that wait for a request. Those that upstream has closed do not count, though they are still held.
  [[nodiscard]] std::size_t kept() const;
  [[nodiscard]] std::uint64_t opened() const { return opened_; }
  [[nodiscard]] std::uint64_t resumed() const { return resumed_; }

 private:
  using Addresses = std::vector<boost::asio::ip::tcp::endpoint>;
  Task<void> resolve();
  void look_up();
  Task<std::string_view> wait_for_addresses(Connecting& connecting);
  void pass_over(const boost::asio::ip::tcp::endpoint& endpoint);
  Task<std::string_view> open(UpstreamConnection& connection);
  Task<bool> tunnel_through_proxy(UpstreamConnection& connection);

  boost::asio::io_context& loop_;
  Watchdog& watchdog_;
  const ClientTls& tls_;
  const UpstreamSettings& settings_;
  const OriginAddress address_;
  std::string dial_host_, dial_port_, proxy_authorization_;
  ClientTls::Sessions sessions_;  // before kept_: connections leave sessions here when they die
  std::deque<std::unique_ptr<UpstreamConnection>> kept_;
  Addresses addresses_;
  std::size_t next_address_ = 0;
  Instant resolved_at_{};
  bool resolving_ = false;
  std::vector<Timer*> waiting_;  // for the first addresses
  std::uint64_t opened_ = 0, resumed_ = 0;
};

/// Every origin that keys have named, by URL. Loop thread only.
class Origins {
 public:
  Origins(boost::asio::io_context& loop, Watchdog& watchdog, const ClientTls& tls, UpstreamSettings settings);
  /// The origin of a provider URL that parse_origin accepts; null for one that it does not.
  Origin* at(const std::string& provider);
  [[nodiscard]] const UpstreamSettings& settings() const { return settings_; }

  template <class Visitor>
  void for_each(Visitor visit) const {
    for (const auto& [url, origin] : origins_) visit(*origin);
  }

 private:
  boost::asio::io_context& loop_;
  Watchdog& watchdog_;
  const ClientTls& tls_;
  UpstreamSettings settings_;
  std::unordered_map<std::string, std::unique_ptr<Origin>> origins_;
};

}  // namespace proxyxai
