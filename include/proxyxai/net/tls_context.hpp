#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/ssl.h>

#include "proxyxai/net/stream.hpp"

namespace proxyxai {

/// The client side's TLS: our certificate, read from files and read again on SIGHUP. Loop thread only.
class ServerTls {
 public:
  /// Throws Failure naming the file at fault.
  ServerTls(std::string certificate_file, std::string key_file);
  ~ServerTls();
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;
  /// Reads both files again; on failure throws and keeps the old certificate.
  void reload();
  [[nodiscard]] SslPtr accept() const;

 private:
  std::string certificate_file_, key_file_;
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
};

/// TLS towards upstreams: the peer's certificate and host name are always verified (RFC 9525), TLS 1.2 at least, and
/// sessions are resumed. Loop thread only.
class ClientTls {
 public:
  /// `extra_ca_file` is trusted beside the system's store; empty for none. Throws Failure naming the file.
  explicit ClientTls(const std::string& extra_ca_file);
  ~ClientTls();
  ClientTls(const ClientTls&) = delete;
  ClientTls& operator=(const ClientTls&) = delete;

  /// Sessions of one origin, newest last. Each TLS 1.3 ticket is used once (RFC 8446 C.4).
  class Sessions {
   public:
    ~Sessions();
    Sessions() = default;
    Sessions(const Sessions&) = delete;
    Sessions& operator=(const Sessions&) = delete;
    void put(SSL_SESSION* session);
    SSL_SESSION* take();

   private:
    std::vector<SSL_SESSION*> kept_;
  };

  /// A client SSL that will accept only a certificate valid for `host` (a DNS name or an IP address), and that leaves
  /// its new sessions in `sessions`, which must outlive it.
  [[nodiscard]] SslPtr connect(const std::string& host, Sessions& sessions) const;

  /// Why verification failed, in words, for the log: `certificate has expired`; empty when it did not.
  static std::string verification_error(const SSL* ssl);

 private:
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
};

}  // namespace proxyxai
