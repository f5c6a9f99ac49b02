#include "notify/smtp_server.hpp"

#include <algorithm>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "support/mock_openai/tls.hpp"

namespace proxyxai {

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;

namespace {

/// The next line without its CRLF.
template <class Stream>
awaitable<std::string> read_line(Stream& stream, std::string& buffer) {
  const std::size_t length = co_await asio::async_read_until(stream, asio::dynamic_buffer(buffer), "\r\n", use_awaitable);
  std::string line = buffer.substr(0, length - 2);
  buffer.erase(0, length);
  co_return line;
}

template <class Stream>
awaitable<std::string> read_message(Stream& stream, std::string& buffer) {
  std::string message;
  for (;;) {
    std::string line = co_await read_line(stream, buffer);
    if (line == ".") co_return message;
    if (line.starts_with('.')) line.erase(0, 1);
    message += line + "\r\n";
  }
}

template <class Stream>
awaitable<void> say(Stream& stream, std::string reply) {
  reply += "\r\n";
  co_await asio::async_write(stream, asio::buffer(reply), use_awaitable);
}

}  // namespace

SmtpServer::SmtpServer(Script script, Tls tls, const std::string& directory)
    : script_(std::move(script)),
      tls_(tls),
      acceptor_(loop_, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
      port_(acceptor_.local_endpoint().port()) {
  if (tls_ != Tls::none) context_.emplace(mock::make_context(mock::make_certificates(directory)));
  asio::co_spawn(loop_, accept(), asio::detached);
  thread_ = std::thread([this] { loop_.run(); });
}

SmtpServer::~SmtpServer() {
  loop_.stop();
  thread_.join();
}

std::vector<std::string> SmtpServer::commands() const {
  const std::lock_guard lock(mutex_);
  return commands_;
}

std::vector<std::string> SmtpServer::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

std::size_t SmtpServer::count(const std::string& beginning) const {
  const auto all = commands();
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const std::string& each) { return each.starts_with(beginning); }));
}

awaitable<void> SmtpServer::accept() {
  for (;;) {
    Socket socket = co_await acceptor_.async_accept(use_awaitable);
    // A client that leaves ends its coroutine by an exception, which is of no interest.
    asio::co_spawn(loop_, greet(std::move(socket)), [](std::exception_ptr) {});
  }
}

awaitable<void> SmtpServer::greet(Socket socket) {
  bool wants_tls = tls_ == Tls::implicit;
  if (!wants_tls) {
    co_await say(socket, reply_to("greeting", false));
    wants_tls = co_await talk(socket, tls_ == Tls::starttls);
  }
  if (wants_tls) co_await talk_by_tls(socket);
}

template <class Stream>
awaitable<void> SmtpServer::talk_by_tls(Stream& plain) {
  asio::ssl::stream<Stream&> stream(plain, *context_);
  co_await stream.async_handshake(asio::ssl::stream_base::server, use_awaitable);
  if (tls_ == Tls::implicit) co_await say(stream, reply_to("greeting", false));
  co_await talk(stream, false);
}

template <class Stream>
awaitable<bool> SmtpServer::talk(Stream& stream, bool offers_tls) {
  std::string buffer, command, reply, message;
  // Silent is silent: not even the connection ends.
  while (command != "QUIT" || reply.empty()) {
    command = co_await read_line(stream, buffer);
    {
      const std::lock_guard lock(mutex_);
      commands_.push_back(command);
    }
    reply = reply_to(command, offers_tls);
    if (!reply.empty()) co_await say(stream, reply);
    if (command == "STARTTLS" && reply.starts_with("220")) co_return true;
    if (command != "DATA" || !reply.starts_with("354")) continue;
    message = co_await read_message(stream, buffer);
    reply = reply_to(".", offers_tls);
    if (reply.starts_with("250")) {
      const std::lock_guard lock(mutex_);
      messages_.push_back(message);
    }
    if (!reply.empty()) co_await say(stream, reply);
  }
  co_return false;
}

std::string SmtpServer::reply_to(const std::string& command, bool offers_tls) const {
  if (script_) {
    if (const auto scripted = script_(command)) return *scripted;
  }
  if (command == "greeting") return "220 test";
  if (command.starts_with("EHLO")) return offers_tls ? "250-test\r\n250 STARTTLS" : "250-test\r\n250 AUTH PLAIN";
  if (command == "STARTTLS") return "220 go on";
  if (command == "AUTH PLAIN") return "334 ";
  if (command == SmtpServer::credentials) return "235 welcome";
  if (command == "DATA") return "354 go on";
  if (command == "QUIT") return "221 bye";
  return "250 fine";
}

}  // namespace proxyxai
