#include "proxyxai/net/stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

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

// What OpenSSL reads and writes through: our socket, so that readiness is known here for TLS too. Its own socket BIO would
// ask the kernel once more at the end of each record.

PolledSocket& socket_of(BIO* bio) { return *static_cast<PolledSocket*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* into, int size) {
  const ssize_t got = socket_of(bio).receive(into, static_cast<std::size_t>(size));
  BIO_clear_retry_flags(bio);
  if (got < 0 && would_block(errno)) BIO_set_retry_read(bio);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(got);
}

int bio_write(BIO* bio, const char* from, int size) {
  const iovec piece{const_cast<char*>(from), static_cast<std::size_t>(size)};
  const ssize_t sent = socket_of(bio).send(&piece, 1);
  BIO_clear_retry_flags(bio);
  if (sent < 0 && would_block(errno)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  return command == BIO_CTRL_EOF && BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "polled socket");
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_control);
    return made;
  }();
  return method;
}

void attach_socket(SSL* ssl, PolledSocket& socket) {
  BIO* const bio = BIO_new(socket_method());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, &socket);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
}

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

Stream::Stream(std::unique_ptr<PolledSocket> socket, SslPtr ssl) : socket_(std::move(socket)) {
  if (ssl) start_tls(std::move(ssl));
}

void Stream::start_tls(SslPtr ssl) {
  ssl_ = std::move(ssl);
  attach_socket(ssl_.get(), *socket_);
}

Task<error_code> Stream::wait(Want want) {
  bool ready = false;
  if (want == Want::read) ready = co_await socket_->readable();
  else ready = co_await socket_->writable();
  co_return ready ? error_code() : error_code(asio::error::operation_aborted);
}

Task<error_code> Stream::connected() {
  const auto aborted = co_await wait(Want::write);
  co_return aborted ? aborted : socket_->connect_error();
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

Stream::Step Stream::try_read_step(asio::mutable_buffer into) {
  if (!ssl_) {
    const ssize_t got = socket_->receive(into.data(), into.size());
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

std::optional<Transfer> Stream::try_read(asio::mutable_buffer into) {
  const Step step = try_read_step(into);
  // TLS that must write before it can read (a key update) does so with a later read.
  if (step.want != Want::done) return std::nullopt;
  return step.transfer;
}

Task<Transfer> Stream::read_some(asio::mutable_buffer into) {
  for (;;) {
    const Step step = try_read_step(into);
    if (step.want == Want::done) co_return step.transfer;
    if (const auto error = co_await wait(step.want)) co_return Transfer{error, 0};
  }
}

Stream::Step Stream::try_write_step(std::span<asio::const_buffer> buffers) {
  if (!ssl_) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
    std::array<iovec, 16> pieces;
    const std::size_t count = std::min(buffers.size(), pieces.size());
    for (std::size_t i = 0; i < count; ++i) {
      pieces[i] = {const_cast<void*>(buffers[i].data()), buffers[i].size()};
    }
    const ssize_t sent = socket_->send(pieces.data(), count);
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
  while (!buffers.empty() && socket_->is_open()) {
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
    if (!socket_->is_open()) co_return error_code(asio::error::bad_descriptor);
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
  if (!socket_->is_open()) return;
  if (ssl_ && SSL_is_init_finished(ssl_.get()) != 0) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
  }
  ::shutdown(socket_->descriptor(), SHUT_WR);
}

void Stream::reset() {
  if (!socket_->is_open()) return;
  const linger at_once{1, 0};
  ::setsockopt(socket_->descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_->close();
}

}  // namespace proxyxai
