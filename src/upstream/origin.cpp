#include "proxyxai/upstream/origin.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <openssl/evp.h>
#include <spdlog/spdlog.h>

namespace proxyxai {
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using Resolver = asio::ip::basic_resolver<tcp, Executor>;

bool is_host_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
         c == ':';
}

std::string base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

std::optional<OriginAddress> parse_origin(std::string_view url) {
  OriginAddress address;
  if (const auto scheme = url.find("://"); scheme != url.npos) {
    const auto name = url.substr(0, scheme);
    if (!equals_lower(name, "https") && !equals_lower(name, "http")) return std::nullopt;
    address.tls = name.size() == 5;
    url.remove_prefix(scheme + 3);
  }
  if (url.find_first_of("?#@\\ \t\r\n%") != url.npos) return std::nullopt;
  const auto slash = url.find('/');
  auto authority = url.substr(0, slash);
  std::string_view prefix = slash == url.npos ? std::string_view() : url.substr(slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  // SDKs are given base URLs that end in /v1, and operators paste them here.
  if (prefix == "/v1") prefix = {};
  if (prefix.ends_with("/v1")) prefix.remove_suffix(3);
  if (!prefix.empty() && !has_one_spelling(prefix)) return std::nullopt;
  address.prefix = prefix;

  std::string_view host = authority;
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == authority.npos) return std::nullopt;
    host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && !port.starts_with(':')) return std::nullopt;
    if (!port.empty()) port.remove_prefix(1);
  } else if (const auto colon = authority.find(':'); colon != authority.npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    if (port.empty()) return std::nullopt;
  }
  if (host.empty() || host.size() > 253) return std::nullopt;
  for (const char c : host) {
    if (!is_host_character(c)) return std::nullopt;
  }
  unsigned number = 0;
  for (const char c : port) {
    if (c < '0' || c > '9' || (number = number * 10 + static_cast<unsigned>(c - '0')) > 65535) return std::nullopt;
  }
  if (!port.empty() && number == 0) return std::nullopt;
  const std::string standard = address.tls ? "443" : "80";
  address.host = host;
  address.port = port.empty() ? standard : std::string(port);
  address.authority = host.find(':') == host.npos ? std::string(host) : "[" + std::string(host) + "]";
  if (address.port != standard) address.authority += ":" + address.port;
  return address;
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

std::unique_ptr<UpstreamConnection> Origin::take_kept() {
  while (!kept_.empty()) {
    auto connection = std::move(kept_.back());
    kept_.pop_back();
    connection->watch_.disarm();
    connection->deadline_.clear();
    if (connection->stream_.is_open() && !connection->answered_early_ && !connection->timed_out_) return connection;
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
  connection->deadline_.set(settings_.kept_idle);
  connection->watch_.arm(connection->stream_.socket().native_handle(), POLLIN | POLLRDHUP);
  kept_.push_back(std::move(connection));
}

Task<bool> Origin::resolve() {
  Resolver resolver(loop_.get_executor());
  auto [error, results] = co_await resolver.async_resolve(dial_host_, dial_port_, use_result_task);
  if (error) {
    spdlog::warn("cannot resolve '{}': {}", dial_host_, error.message());
    co_return false;
  }
  Addresses fresh;
  for (const auto& each : results) fresh.push_back(each.endpoint());
  addresses_ = std::move(fresh);
  resolved_at_ = watchdog_.coarse_now();
  co_return !addresses_.empty();
}

void Origin::refresh_in_background() {
  if (resolving_ || watchdog_.coarse_now() - resolved_at_ < settings_.dns_refresh) return;
  resolving_ = true;
  asio::co_spawn(
      loop_.get_executor(),
      [](Origin& self) -> Task<void> {
        // A failed refresh keeps the old addresses and is tried again after the interval.
        const bool fresh = co_await self.resolve();
        if (!fresh) self.resolved_at_ = self.watchdog_.coarse_now();
        self.resolving_ = false;
      }(*this),
      asio::detached);
}

Task<Origin::Connected> Origin::connect(UpstreamConnection*& in_progress) {
  if (addresses_.empty()) {
    const bool resolved = co_await resolve();
    if (!resolved) co_return Connected{nullptr, "dns_failed"};
  } else {
    refresh_in_background();
  }
  SslPtr ssl;
  if (address_.tls) {
    ssl = tls_.connect(address_.host, sessions_);
    if (!ssl) co_return Connected{nullptr, "tls_failed"};
  }
  const tcp::endpoint endpoint = addresses_[next_address_ % addresses_.size()];
  Socket socket(loop_.get_executor());
  boost::system::error_code error;
  socket.open(endpoint.protocol(), error);
  if (error) {
    spdlog::warn("cannot open a socket to an upstream: {}", error.message());
    co_return Connected{nullptr, "connect_failed"};
  }
  socket.set_option(tcp::no_delay(true), error);
  auto connection = std::make_unique<UpstreamConnection>(*this, Stream(std::move(socket), std::move(ssl)), watchdog_);
  in_progress = connection.get();
  connection->deadline_.set(settings_.connect_timeout);
  const auto [refused] = co_await connection->stream_.socket().async_connect(endpoint, use_result_task);
  std::string_view reason = refused ? std::string_view("connect_failed") : std::string_view();
  if (reason.empty()) reason = co_await open(*connection);
  connection->deadline_.clear();
  if (connection->timed_out_) reason = "connect_timeout";
  if (connection->cancelled_) reason = "cancelled";
  if (!reason.empty()) {
    // The next attempt begins with another address, so that one dead host of several costs one attempt.
    ++next_address_;
    in_progress = nullptr;
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
  const auto failed = co_await connection.stream_.handshake();
  if (!failed) {
    SSL* const ssl = connection.stream_.ssl();
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
  auto& socket = connection.stream_.socket();
  const auto [unsent, sent] = co_await asio::async_write(socket, buffers, use_result_task);
  if (unsent) co_return false;
  std::string answer;
  while (answer.find("\r\n\r\n") == answer.npos) {
    if (answer.size() > (8 << 10)) co_return false;
    // Reading past the head loses nothing: the server speaks only after our ClientHello.
    std::array<char, 1024> piece;
    const auto [error, got] = co_await socket.async_read_some(asio::buffer(piece), use_result_task);
    if (error) co_return false;
    answer.append(piece.data(), got);
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
