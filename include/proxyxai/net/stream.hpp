#pragma once

#include <memory>
#include <optional>
#include <span>

#include <boost/asio/buffer.hpp>
#include <openssl/ssl.h>

#include "proxyxai/net/polled_socket.hpp"

namespace proxyxai {

struct SslDeleter {
  void operator()(SSL* ssl) const {
    // OpenSSL makes the session of a connection that ends without close_notify unfit for resumption; ours end so when the
    // upstream closes them, and their sessions are good. After a fatal alert it has done so already.
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
  }
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

/// What one read or write came to. `bytes == 0` without an error is the clean end of the stream.
struct Transfer {
  boost::system::error_code error;
  std::size_t bytes = 0;
};

/// One connection, plain or TLS, behind one face.
///
/// TLS runs OpenSSL straight on the non-blocking socket, rather than through asio::ssl::stream: that one holds two 17 KiB
/// buffers and a BIO pair per connection (10,000 idle connections would not fit the host) and copies every byte once more.
/// Loop thread only. `close` ends pending operations with an error; the object must outlive them.
class Stream {
 public:
  /// `ssl` null means plain TCP.
  Stream(std::unique_ptr<PolledSocket> socket, SslPtr ssl);
  Stream(Stream&&) = default;
  // It would close the socket of a TLS that still speaks on it.
  Stream& operator=(Stream&&) = delete;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() = default;

  /// Waits for a connect that has begun.
  Task<boost::system::error_code> connected();
  /// From here on speaks TLS, which begins with `handshake`.
  void start_tls(SslPtr ssl);
  /// Runs the TLS handshake (as client or server, by how `ssl` was set up); nothing to do for plain TCP. The error is
  /// in the ssl category when the peer's certificate or protocol is at fault.
  Task<boost::system::error_code> handshake();

  /// Reads what is there now; nothing when nothing is.
  std::optional<Transfer> try_read(boost::asio::mutable_buffer into);
  /// Reads what is there, waiting for something.
  Task<Transfer> read_some(boost::asio::mutable_buffer into);

  /// Whether `try_read` may find something; else `readable` waits until it may. False from it: cancelled or closed.
  [[nodiscard]] bool may_read() const { return socket_->may_receive() || (ssl_ && SSL_has_pending(ssl_.get()) == 1); }
  Task<bool> readable() { return socket_->readable(); }

  /// On a readable socket: whether there is anything for us to read, or the end. TLS's own records (session tickets, key
  /// updates) are taken in and are not.
  [[nodiscard]] bool has_news();

  /// Writes everything, or fails. The buffers are consumed in the array.
  Task<boost::system::error_code> write(std::span<boost::asio::const_buffer> buffers);

  /// Writes what the socket takes now, without waiting; the consumed buffers are advanced. For courtesies such as
  /// `100 Continue` and the bounded writes at a close.
  Transfer try_write(std::span<boost::asio::const_buffer> buffers);

  /// Ends our half: TLS close_notify (one try) and FIN.
  void shutdown_send();
  /// Ends pending operations and leaves the connection open.
  void cancel() { socket_->cancel(); }
  void close() { socket_->close(); }
  /// Closes with RST, so that the peer cannot take what it got for the whole.
  void reset();
  [[nodiscard]] bool is_open() const { return socket_->is_open(); }

  [[nodiscard]] int descriptor() const { return socket_->descriptor(); }
  [[nodiscard]] Executor executor() const { return socket_->executor(); }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

 private:
  enum class Want : std::uint8_t { done, read, write };
  struct Step {
    Want want = Want::done;
    Transfer transfer;
  };
  Step try_read_step(boost::asio::mutable_buffer into);
  Step try_write_step(std::span<boost::asio::const_buffer> buffers);
  Step tls_result(int result);
  Task<boost::system::error_code> wait(Want want);

  std::unique_ptr<PolledSocket> socket_;  // its address is OpenSSL's way to the socket
  SslPtr ssl_;
};

/// Advances an array of buffers by `bytes`; true when nothing is left.
bool consume(std::span<boost::asio::const_buffer>& buffers, std::size_t bytes);

}  // namespace proxyxai
