#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/intrusive/list.hpp>

#include "proxyxai/net/connection.hpp"
#include "proxyxai/net/tls_context.hpp"

namespace proxyxai {

/// Accepts connections on one port of one or more addresses and runs them. Loop thread only; must outlive its
/// connections, which `wait_idle` ensures.
class Listener {
 public:
  struct Settings {
    std::vector<std::string> addresses;
    std::uint16_t port = 0;              ///< 0: the first address picks a free one, the others take the same.
    std::vector<int> inherited;          ///< Listening sockets to take over; when there are any, addresses and port do not count.
    unsigned max_connections = 20'000;   ///< Beyond, a new connection is closed at once.
    ConnectionLimits limits;
    std::string named_by;                ///< The settings that say where, for the message when it cannot be bound.
  };

  /// Binds and listens; throws Failure naming address and port. `tls` null: plain HTTP.
  Listener(boost::asio::io_context& loop, Watchdog& watchdog, Settings settings, ServerTls* tls, RequestHandler& handler);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void start();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The first address that it listens on.
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::size_t open_connections() const { return open_; }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }
  [[nodiscard]] std::uint64_t turned_away() const { return turned_away_; }

  /// Stops accepting and lets requests in progress finish. An idle connection may bring one more request for a second, for its
  /// client may have sent that already.
  void drain();
  /// Ends what is left.
  void abort();
  /// Called once, when a drain has left no connection.
  void on_idle(std::function<void()> callback);

 private:
  using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;
  [[nodiscard]] Acceptor adopt(int descriptor) const;
  [[nodiscard]] Acceptor bind(const std::string& host, std::uint16_t port) const;
  void add(Acceptor acceptor);
  void accept_waiting(Acceptor& acceptor);
  Task<void> accept_loop(Acceptor& acceptor);
  /// True: out of descriptors or memory, so that trying again at once is in vain.
  bool accept_some(Acceptor& acceptor);
  Task<void> run(std::unique_ptr<Connection> connection);

  boost::asio::io_context& loop_;
  Watchdog& watchdog_;
  Settings settings_;
  ServerTls* tls_;
  RequestHandler& handler_;
  std::vector<Acceptor> acceptors_;
  boost::intrusive::list<Connection, boost::intrusive::constant_time_size<false>> connections_;
  std::uint16_t port_ = 0;
  std::string address_;
  std::size_t open_ = 0;
  std::uint64_t accepted_ = 0, turned_away_ = 0;
  bool draining_ = false;
  std::function<void()> on_idle_;
};

}  // namespace proxyxai
