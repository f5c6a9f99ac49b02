#include "proxyxai/net/listener.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <spdlog/spdlog.h>

#include "proxyxai/base/error.hpp"
#include "proxyxai/base/timer.hpp"

namespace proxyxai {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr int backlog = 4096;
/// Unsent bytes that the kernel may hold for a slow client, beside what is in flight: keeps its share of kernel memory
/// small without limiting throughput over long distances, as a fixed send buffer would.
constexpr int unsent_limit = 128 << 10;

/// `1.2.3.4` also for an IPv4 client of an IPv6 socket.
std::string text_of(const tcp::endpoint& peer) {
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

void tune(int descriptor) {
  const int yes = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_limit, sizeof unsent_limit);
}

}  // namespace

Listener::Acceptor Listener::adopt(int descriptor) const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  boost::system::error_code error;
  Acceptor acceptor(loop_.get_executor());
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) error = {errno, boost::system::system_category()};
  if (!error) acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), descriptor, error);
  if (!error) acceptor.native_non_blocking(true, error);
  if (error) throw Failure("cannot use the socket that was handed over as descriptor " + std::to_string(descriptor) + ": " + error.message());
  return acceptor;
}

Listener::Acceptor Listener::bind(const std::string& host, std::uint16_t port) const {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) throw Failure(settings_.named_by + ": '" + host + "' is not an IP address");
  const tcp::endpoint endpoint(address, port);
  Acceptor acceptor(loop_.get_executor());
  acceptor.open(endpoint.protocol(), error);
  if (!error && address.is_v6()) acceptor.set_option(asio::ip::v6_only(true), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(backlog, error);
  if (!error) acceptor.native_non_blocking(true, error);
  if (error) {
    throw Failure("cannot listen on " + host + " port " + std::to_string(port) + ": " + error.message() +
                  "; is another program using it? " + settings_.named_by + " can change it");
  }
  return acceptor;
}

Listener::Listener(asio::io_context& loop, Watchdog& watchdog, Settings settings, ServerTls* tls, RequestHandler& handler)
    : loop_(loop), watchdog_(watchdog), settings_(std::move(settings)), tls_(tls), handler_(handler), port_(settings_.port) {
  for (const int descriptor : settings_.inherited) add(adopt(descriptor));
  if (!acceptors_.empty()) return;
  for (const std::string& each : settings_.addresses) {
    try {
      add(bind(each, port_));
    } catch (const Failure&) {
      // A host without IPv6 is served on IPv4; a host where neither works is not.
      if (acceptors_.empty() || each != "::") throw;
    }
  }
}

void Listener::add(Acceptor acceptor) {
  const tcp::endpoint local = acceptor.local_endpoint();
  if (acceptors_.empty()) address_ = local.address().to_string();
  port_ = local.port();
  acceptors_.push_back(std::move(acceptor));
}

Listener::~Listener() = default;

void Listener::start() {
  for (Acceptor& each : acceptors_) asio::co_spawn(loop_.get_executor(), accept_loop(each), asio::detached);
}

Task<void> Listener::accept_loop(Acceptor& acceptor) {
  Timer pause(loop_.get_executor());
  while (!draining_) {
    const auto [error] = co_await acceptor.async_wait(Acceptor::wait_read, use_result_task);
    if (error) co_return;
    const bool rest = accept_some(acceptor);
    if (!rest) continue;
    pause.expires_after(std::chrono::milliseconds(100));
    co_await pause.async_wait(use_result_task);
  }
}

bool Listener::accept_some(Acceptor& acceptor) {
  // Bounded, so that a flood of connections does not keep the loop from those that are open.
  for (int i = 0; i < 64; ++i) {
    tcp::endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    const int descriptor = ::accept4(acceptor.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) {
      const bool exhausted = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
      // The connection waits in the backlog until some close.
      if (exhausted) spdlog::warn("cannot accept a connection: {}", std::generic_category().message(errno));
      return exhausted;
    }
    peer.resize(size);
    ++accepted_;
    if (open_ >= settings_.max_connections) {
      ++turned_away_;
      ::close(descriptor);
      continue;
    }
    tune(descriptor);
    Stream stream(std::make_unique<PolledSocket>(loop_, descriptor), tls_ != nullptr ? tls_->accept() : nullptr);
    auto connection = std::make_unique<Connection>(std::move(stream), watchdog_, settings_.limits, text_of(peer));
    connections_.push_back(*connection);
    ++open_;
    asio::co_spawn(loop_.get_executor(), run(std::move(connection)), asio::detached);
  }
  return false;
}

Task<void> Listener::run(std::unique_ptr<Connection> connection) {
  try {
    co_await connection->run(handler_);
  } catch (const std::exception& error) {
    spdlog::error("a connection from {} ended on an internal error: {}", connection->peer_address(), error.what());
  }
  connection.reset();
  --open_;
  if (draining_ && open_ == 0 && on_idle_) on_idle_();
}

/// Whoever is connected already would be reset when the socket closes.
void Listener::accept_waiting(Acceptor& acceptor) {
  const std::uint64_t most = accepted_ + backlog;
  for (std::uint64_t before = accepted_ + 1; accepted_ != before && accepted_ < most;) {
    before = accepted_;
    if (accept_some(acceptor)) return;
  }
}

void Listener::drain() {
  draining_ = true;
  boost::system::error_code ignored;
  for (Acceptor& each : acceptors_) {
    // An inherited socket stays open with who made it, and who is connected waits there for the next process.
    if (settings_.inherited.empty()) accept_waiting(each);
    each.close(ignored);
  }
  for (Connection& each : connections_) each.drain();
  if (open_ == 0 && on_idle_) on_idle_();
}

void Listener::abort() {
  for (Connection& each : connections_) each.abort();
}

void Listener::on_idle(std::function<void()> callback) { on_idle_ = std::move(callback); }

}  // namespace proxyxai
