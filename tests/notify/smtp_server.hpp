#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

namespace proxyxai {

/// A mail server on a free port of loopback that answers as a test says. It has a thread of its own.
class SmtpServer {
 public:
  /// `user` and `password` as AUTH PLAIN says them, the only ones that are good.
  static constexpr const char* credentials = "AHVzZXIAcGFzc3dvcmQ=";

  enum class Tls { none, starttls, implicit };
  /// The reply to a command, or to the message itself, which is asked for as `.`; nullopt: the usual one; empty: none, ever.
  /// On the server's thread.
  using Script = std::function<std::optional<std::string>(const std::string& command)>;

  /// `directory`: where the certificates are made; needed for TLS only.
  explicit SmtpServer(Script script = {}, Tls tls = Tls::none, const std::string& directory = {});
  ~SmtpServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// What clients have said, a line each, without the messages.
  [[nodiscard]] std::vector<std::string> commands() const;
  /// The messages that were taken, dots unstuffed.
  [[nodiscard]] std::vector<std::string> messages() const;
  /// How often a command that begins so was said.
  [[nodiscard]] std::size_t count(const std::string& beginning) const;

 private:
  using Socket = boost::asio::ip::tcp::socket;
  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> greet(Socket socket);
  /// Talks until the client leaves; true when it wants to start TLS.
  template <class Stream>
  boost::asio::awaitable<bool> talk(Stream& stream, bool offers_tls);
  template <class Stream>
  boost::asio::awaitable<void> talk_by_tls(Stream& stream);
  std::string reply_to(const std::string& command, bool offers_tls) const;

  const Script script_;
  const Tls tls_;
  boost::asio::io_context loop_{1};
  boost::asio::ip::tcp::acceptor acceptor_;
  std::optional<boost::asio::ssl::context> context_;
  const std::uint16_t port_;
  mutable std::mutex mutex_;
  std::vector<std::string> commands_, messages_;  // under mutex_
  std::thread thread_;
};

}  // namespace proxyxai
