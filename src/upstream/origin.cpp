#include "proxyxai/upstream/origin.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <openssl/evp.h>
#include <spdlog/spdlog.h>

namespace proxyxai {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using Resolver = asio::ip::basic_resolver<tcp, Executor>;

std::string base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

void Connecting::cancel() {
  cancelled_ = true;
  if (name_ != nullptr) name_->cancel();
  if (connection_ != nullptr) connection_->cancel();
}

Origin::Origin(asio::io_context& loop, Watchdog& watchdog, const ClientTls& tls, const UpstreamSettings& settings,
               OriginAddress address)
    : loop_(loop),
      watchdog_(watchdog),
      tls_(tls),
      settings_(settings),
      address_(std::move(address)),
      dial_host_(address_.host),
      dial_port_(address_.port) {
  if (settings_.proxy.empty()) return;
  // http://[user:password@]host:port, checked when the settings were read.
  std::string_view proxy = settings_.proxy;
  if (const auto scheme = proxy.find("://"); scheme != proxy.npos) proxy.remove_prefix(scheme + 3);
  if (const auto at = proxy.rfind('@'); at != proxy.npos) {
    proxy_authorization_ = "Proxy-Authorization: Basic " + base64(proxy.substr(0, at)) + "\r\n";
    proxy.remove_prefix(at + 1);
  }
  if (const auto parsed = parse_origin("http://" + std::string(proxy))) {
    dial_host_ = parsed->host;
    dial_port_ = parsed->port;
  }
}

Origin::~Origin() = default;

std::size_t Origin::kept() const {
  return static_cast<std::size_t>(std::count_if(kept_.begin(), kept_.end(), [](const auto& each) { return each->stream_.is_open(); }));
}

std::unique_ptr<UpstreamConnection> Origin::take_kept() {
  while (!kept_.empty()) {
    auto connection = std::move(kept_.back());
    kept_.pop_back();
    connection->watch_.disarm();
    connection->deadline_.clear();
    connection->is_kept_ = false;
    // Between two ticks only the loop knows that something has come.
    const bool speaks = connection->stream_.may_read() && connection->stream_.has_news();
    if (connection->stream_.is_open() && !speaks && !connection->answered_early_ && !connection->timed_out_) return connection;
  }
  return nullptr;
}

void Origin::keep(std::unique_ptr<UpstreamConnection> connection) {
  // The oldest go first: those beyond the bound, and those whose deadline or peer has ended them meanwhile.
  while (!kept_.empty() && (kept_.size() >= settings_.kept_connections || !kept_.front()->stream_.is_open() ||
                            kept_.front()->answered_early_)) {
    kept_.pop_front();
  }
  connection->input_.release();
  connection->is_kept_ = true;
  connection->deadline_.set(settings_.kept_idle);
  connection->watch_.arm(connection->stream_.descriptor(), POLLIN | POLLRDHUP);
  kept_.push_back(std::move(connection));
}

/// A failed lookup keeps the old addresses; it is made again after the interval, or when there are none and one is needed.
Task<void> Origin::resolve() {
  Resolver resolver(loop_.get_executor());
  auto [error, results] = co_await resolver.async_resolve(dial_host_, dial_port_, use_result_task);
  resolving_ = false;
  resolved_at_ = watchdog_.coarse_now();
  if (error) {
    spdlog::warn("cannot resolve '{}': {}", dial_host_, error.message());
  } else {
    Addresses fresh;
    for (const auto& each : results) fresh.push_back(each.endpoint());
    addresses_ = std::move(fresh);
  }
  for (Timer* const each : waiting_) each->cancel();
}

/// The system is asked once at a time, however many wait: it has one thread for it, and a name server that is silent holds that for long.
void Origin::look_up() {
  if (std::exchange(resolving_, true)) return;
  asio::co_spawn(loop_.get_executor(), resolve(), asio::detached);
}

Task<std::string_view> Origin::wait_for_addresses(Connecting& connecting) {
  look_up();
  Timer answered(loop_.get_executor(), settings_.connect_timeout);
  connecting.name_ = &answered;
  waiting_.push_back(&answered);
  co_await answered.async_wait(use_result_task);
  std::erase(waiting_, &answered);
  connecting.name_ = nullptr;
  if (connecting.cancelled_) co_return std::string_view("cancelled");
  co_return addresses_.empty() ? std::string_view("dns_failed") : std::string_view();
}

/// The next attempt begins with another address, so that one dead host of several costs one attempt. Many may find out at once: only the
/// first of them moves on.
void Origin::pass_over(const tcp::endpoint& endpoint) {
  if (addresses_[next_address_ % addresses_.size()] == endpoint) ++next_address_;
}

Task<Origin::Connected> Origin::connect(Connecting& connecting) {
  if (addresses_.empty()) {
    const std::string_view failed = co_await wait_for_addresses(connecting);
    if (!failed.empty()) co_return Connected{nullptr, failed};
  } else if (watchdog_.coarse_now() - resolved_at_ >= settings_.dns_refresh) {
    look_up();
  }
  const tcp::endpoint endpoint = addresses_[next_address_ % addresses_.size()];
  boost::system::error_code error;
  auto socket = PolledSocket::connect(loop_, endpoint, error);
  if (!socket) {
    spdlog::warn("cannot open a socket to an upstream: {}", error.message());
    pass_over(endpoint);
    co_return Connected{nullptr, "connect_failed"};
  }
  auto connection = std::make_unique<UpstreamConnection>(*this, Stream(std::move(socket), nullptr), watchdog_);
  connecting.connection_ = connection.get();
  connection->deadline_.set(settings_.connect_timeout);
  const auto refused = co_await connection->stream_.connected();
  std::string_view reason = refused ? std::string_view("connect_failed") : std::string_view();
  if (reason.empty()) reason = co_await open(*connection);
  connection->deadline_.clear();
  if (connection->timed_out_) reason = "connect_timeout";
  if (connection->cancelled_) reason = "cancelled";
  connecting.connection_ = nullptr;
  if (!reason.empty()) {
    if (reason != "cancelled") pass_over(endpoint);
    co_return Connected{nullptr, reason};
  }
  ++opened_;
  co_return Connected{std::move(connection), {}};
}

Task<std::string_view> Origin::open(UpstreamConnection& connection) {
  if (!settings_.proxy.empty()) {
    const bool tunnelled = co_await tunnel_through_proxy(connection);
    if (!tunnelled) co_return std::string_view("proxy_refused");
  }
  if (!address_.tls) co_return std::string_view();
  SslPtr made = tls_.connect(address_.host, sessions_);
  if (!made) co_return std::string_view("tls_failed");
  SSL* const ssl = made.get();
  connection.stream_.start_tls(std::move(made));
  const auto failed = co_await connection.stream_.handshake();
  if (!failed) {
    if (SSL_session_reused(ssl) == 1) {
      ++resumed_;
      // TLS 1.2 sends no new session on resumption; the old one stays good.
      if (SSL_version(ssl) < TLS1_3_VERSION) sessions_.put(SSL_get1_session(ssl));
    }
    co_return std::string_view();
  }
  const std::string rejected = ClientTls::verification_error(connection.stream_.ssl());
  if (rejected.empty()) {
    if (!connection.cancelled_) spdlog::warn("TLS handshake with '{}' failed: {}", address_.host, failed.message());
    co_return std::string_view("tls_failed");
  }
  spdlog::error("the certificate of '{}' is rejected: {}; nothing was sent. UPSTREAM_CA_FILE adds a trust anchor",
                address_.host, rejected);
  co_return std::string_view("certificate_rejected");
}

Task<bool> Origin::tunnel_through_proxy(UpstreamConnection& connection) {
  const std::string target = (address_.host.find(':') == std::string::npos ? address_.host : "[" + address_.host + "]") +
                             ":" + address_.port;
  const std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" + proxy_authorization_ + "\r\n";
  std::array<asio::const_buffer, 1> buffers{asio::const_buffer(request.data(), request.size())};
  // The proxy is spoken to in plain text on the same socket, before TLS begins on it.
  const auto unsent = co_await connection.stream_.write(buffers);
  if (unsent) co_return false;
  std::string answer;
  while (answer.find("\r\n\r\n") == answer.npos) {
    if (answer.size() > (8 << 10)) co_return false;
    // Reading past the head loses nothing: the server speaks only after our ClientHello.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
    std::array<char, 1024> piece;
    const Transfer got = co_await connection.stream_.read_some(asio::buffer(piece));
    if (got.error || got.bytes == 0) co_return false;
    answer.append(piece.data(), got.bytes);
  }
  const bool granted = answer.starts_with("HTTP/1.1 2") || answer.starts_with("HTTP/1.0 2");
  if (!granted) spdlog::warn("the upstream proxy refused a tunnel to {}: {}", target, answer.substr(0, answer.find('\r')));
  co_return granted;
}

Origins::Origins(asio::io_context& loop, Watchdog& watchdog, const ClientTls& tls, UpstreamSettings settings)
    : loop_(loop), watchdog_(watchdog), tls_(tls), settings_(std::move(settings)) {}

Origin* Origins::at(const std::string& provider) {
  const auto known = origins_.find(provider);
  if (known != origins_.end()) return known->second.get();
  auto address = parse_origin(provider);
  if (!address) return nullptr;
  auto origin = std::make_unique<Origin>(loop_, watchdog_, tls_, settings_, std::move(*address));
  return origins_.emplace(provider, std::move(origin)).first->second.get();
}

}  // namespace proxyxai
