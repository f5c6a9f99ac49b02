#pragma once

#include <memory>
#include <span>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <openssl/ssl.h>

#include "proxyxai/base/task.hpp"

namespace proxyxai {

/// A TCP socket bound to the loop by its concrete executor type.
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;
using Acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, Executor>;

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
/// TLS runs OpenSSL straight on the non-blocking descriptor and waits for readiness through Asio, rather than through
/// asio::ssl::stream: that one holds two 17 KiB buffers and a BIO pair per connection (10,000 idle connections would not
/// fit the host) and copies every byte once more. Loop thread only. `close` ends pending operations with an error; the
/// object must outlive them.
class Stream {
 public:
  /// Takes over a connected socket; `ssl` null means plain TCP.
  Stream(Socket socket, SslPtr ssl);
  ~Stream();
  Stream(Stream&&) = default;

  /// Runs the TLS handshake (as client or server, by how `ssl` was set up); nothing to do for plain TCP. The error is
  /// in the ssl category when the peer's certificate or protocol is at fault.
  Task<boost::system::error_code> handshake();

  /// Whether bytes are expected to be there already: a read that is expected to wait goes to sleep first and saves a
  /// system call that would only answer "not yet".
  enum class Expect : bool { now, later };
  Task<Transfer> read_some(boost::asio::mutable_buffer into, Expect expect);

  /// On a readable socket: whether there is anything for us to read, or the end. TLS's own records (session tickets, key
  /// updates) are taken in and are not.
  [[nodiscard]] bool has_news();

  /// Waits until something can be read, holding no buffer meanwhile. May return early.
  Task<boost::system::error_code> readable();

  /// Writes everything, or fails. The buffers are consumed in the array.
  Task<boost::system::error_code> write(std::span<boost::asio::const_buffer> buffers);

  /// Writes what the socket takes now, without waiting; the consumed buffers are advanced. For courtesies such as
  /// `100 Continue` and the bounded writes at a close.
  Transfer try_write(std::span<boost::asio::const_buffer> buffers);

  /// Ends our half: TLS close_notify (one try) and FIN.
  void shutdown_send();
  void close();
  /// Closes with RST, so that the peer cannot take what it got for the whole.
  void reset();
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }

  [[nodiscard]] Socket& socket() { return socket_; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] bool is_tls() const { return ssl_ != nullptr; }

 private:
  enum class Want : std::uint8_t { done, read, write };
  struct Step {
    Want want = Want::done;
    Transfer transfer;
  };
  Step try_read(boost::asio::mutable_buffer into);
  Step try_write_step(std::span<boost::asio::const_buffer> buffers);
  Step tls_result(int result);
  Task<boost::system::error_code> wait(Want want);

  Socket socket_;
  SslPtr ssl_;
};

/// Advances an array of buffers by `bytes`; true when nothing is left.
bool consume(std::span<boost::asio::const_buffer>& buffers, std::size_t bytes);

}  // namespace proxyxai
