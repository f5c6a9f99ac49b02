#include "proxyxai/net/stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <openssl/err.h>

namespace proxyxai {
namespace asio = boost::asio;
using boost::system::error_code;

namespace {

error_code last_system_error() { return {errno, boost::system::system_category()}; }

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

constexpr std::size_t tls_record = 16 << 10;

}  // namespace

bool consume(std::span<asio::const_buffer>& buffers, std::size_t bytes) {
  while (!buffers.empty() && bytes >= buffers.front().size()) {
    bytes -= buffers.front().size();
    // Emptied in the array too: a caller may hold another view of it.
    buffers.front() += buffers.front().size();
    buffers = buffers.subspan(1);
  }
  if (buffers.empty()) return true;
  buffers.front() += bytes;
  return false;
}

Stream::Stream(Socket socket, SslPtr ssl) : socket_(std::move(socket)), ssl_(std::move(ssl)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.native_non_blocking(true, ignored);
  if (ssl_) SSL_set_fd(ssl_.get(), socket_.native_handle());
}

Stream::~Stream() = default;

Task<error_code> Stream::wait(Want want) {
  const auto direction = want == Want::read ? Socket::wait_read : Socket::wait_write;
  const auto [error] = co_await socket_.async_wait(direction, use_result_task);
  co_return error;
}

Task<error_code> Stream::readable() {
  if (ssl_ && SSL_has_pending(ssl_.get())) co_return error_code{};
  const auto [error] = co_await socket_.async_wait(Socket::wait_read, use_result_task);
  co_return error;
}

Stream::Step Stream::tls_result(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {Want::read, {}};
    case SSL_ERROR_WANT_WRITE: return {Want::write, {}};
    case SSL_ERROR_ZERO_RETURN: return {Want::done, {}};
    case SSL_ERROR_SYSCALL:
      return {Want::done, {errno != 0 ? last_system_error() : error_code(asio::error::connection_reset), 0}};
    default: {
      const unsigned long code = ERR_get_error();
      ERR_clear_error();
      if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        // FIN without close_notify: what came so far may have been cut by anyone on the way.
        return {Want::done, {asio::ssl::error::stream_truncated, 0}};
      }
      return {Want::done, {error_code(static_cast<int>(code), asio::error::get_ssl_category()), 0}};
    }
  }
}

Task<error_code> Stream::handshake() {
  if (!ssl_) co_return error_code{};
  for (;;) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) co_return error_code{};
    const Step step = tls_result(result);
    if (step.want == Want::done) {
      co_return step.transfer.error ? step.transfer.error : error_code(asio::error::connection_reset);
    }
    if (const auto error = co_await wait(step.want)) co_return error;
  }
}

Stream::Step Stream::try_read(asio::mutable_buffer into) {
  if (!ssl_) {
    const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
    if (got >= 0) return {Want::done, {{}, static_cast<std::size_t>(got)}};
    if (would_block(errno)) return {Want::read, {}};
    return {Want::done, {last_system_error(), 0}};
  }
  ERR_clear_error();
  errno = 0;
  const int got = SSL_read(ssl_.get(), into.data(), static_cast<int>(std::min<std::size_t>(into.size(), 1 << 30)));
  if (got > 0) return {Want::done, {{}, static_cast<std::size_t>(got)}};
  return tls_result(got);
}

bool Stream::has_news() {
  if (!ssl_) return true;
  ERR_clear_error();
  errno = 0;
  char first = 0;
  const int got = SSL_peek(ssl_.get(), &first, 1);
  return got > 0 || tls_result(got).want != Want::read;
}

Task<Transfer> Stream::read_some(asio::mutable_buffer into, Expect expect) {
  if (!socket_.is_open()) co_return Transfer{asio::error::bad_descriptor, 0};
  if (expect == Expect::later && !(ssl_ && SSL_has_pending(ssl_.get()))) {
    // As `wait`, without a coroutine of its own: nearly every read of the request path comes by here.
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, use_result_task);
    if (error) co_return Transfer{error, 0};
  }
  for (;;) {
    const Step step = try_read(into);
    if (step.want == Want::done) co_return step.transfer;
    if (const auto error = co_await wait(step.want)) co_return Transfer{error, 0};
  }
}

Stream::Step Stream::try_write_step(std::span<asio::const_buffer> buffers) {
  if (!ssl_) {
    std::array<iovec, 16> pieces;
    const std::size_t count = std::min(buffers.size(), pieces.size());
    for (std::size_t i = 0; i < count; ++i) {
      pieces[i] = {const_cast<void*>(buffers[i].data()), buffers[i].size()};
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
    if (sent >= 0) return {Want::done, {{}, static_cast<std::size_t>(sent)}};
    if (would_block(errno)) return {Want::write, {}};
    return {Want::done, {last_system_error(), 0}};
  }
  // Small pieces (a head, a chunk frame, a body) go into one record. A write that must be repeated is assembled again
  // from the same buffers, which OpenSSL allows with SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER.
  static thread_local std::array<char, tls_record> record;
  const char* data = static_cast<const char*>(buffers.front().data());
  std::size_t size = std::min(buffers.front().size(), tls_record);
  if (buffers.size() > 1 && size < tls_record) {
    size = 0;
    for (const asio::const_buffer& each : buffers) {
      const std::size_t part = std::min(each.size(), tls_record - size);
      if (part == 0) continue;
      std::memcpy(record.data() + size, each.data(), part);
      size += part;
      if (size == tls_record) break;
    }
    data = record.data();
  }
  ERR_clear_error();
  errno = 0;
  const int sent = SSL_write(ssl_.get(), data, static_cast<int>(size));
  if (sent > 0) return {Want::done, {{}, static_cast<std::size_t>(sent)}};
  return tls_result(sent);
}

Transfer Stream::try_write(std::span<asio::const_buffer> buffers) {
  std::size_t total = 0;
  while (!buffers.empty() && socket_.is_open()) {
    if (buffers.front().size() == 0) {
      buffers = buffers.subspan(1);
      continue;
    }
    const Step step = try_write_step(buffers);
    if (step.want != Want::done) break;
    if (step.transfer.error || step.transfer.bytes == 0) return {step.transfer.error, total};
    total += step.transfer.bytes;
    consume(buffers, step.transfer.bytes);
  }
  return {{}, total};
}

Task<error_code> Stream::write(std::span<asio::const_buffer> buffers) {
  if (consume(buffers, 0)) co_return error_code{};
  for (;;) {
    if (!socket_.is_open()) co_return error_code(asio::error::bad_descriptor);
    const Step step = try_write_step(buffers);
    if (step.want == Want::done) {
      if (step.transfer.error) co_return step.transfer.error;
      if (step.transfer.bytes == 0) co_return error_code(asio::error::broken_pipe);
      if (consume(buffers, step.transfer.bytes)) co_return error_code{};
      continue;
    }
    if (const auto error = co_await wait(step.want)) co_return error;
  }
}

void Stream::shutdown_send() {
  if (!socket_.is_open()) return;
  if (ssl_ && SSL_is_init_finished(ssl_.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Stream::close() {
  error_code ignored;
  socket_.close(ignored);
}

void Stream::reset() {
  if (!socket_.is_open()) return;
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

}  // namespace proxyxai
