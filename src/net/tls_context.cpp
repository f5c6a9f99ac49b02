#include "proxyxai/net/tls_context.hpp"

#include <arpa/inet.h>

#include <system_error>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "proxyxai/base/error.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t kept_sessions = 64;

std::string openssl_reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  // The system's have no text in OpenSSL's tables.
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* text = ERR_reason_error_string(code);
  return text != nullptr ? text : "unknown error";
}

std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> make_context(const SSL_METHOD* method) {
  std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(method), &SSL_CTX_free);
  if (!context) throw Failure("OpenSSL could not make a TLS context: " + openssl_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // Idle connections give their record buffers back; that is most of what an idle TLS connection would hold.
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_clear_mode(context.get(), SSL_MODE_AUTO_RETRY);
  // One read(2) a record instead of one for its header and one for its body.
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> make_server_context(const std::string& certificate_file,
                                                                 const std::string& key_file) {
  auto context = make_context(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    throw Failure("TLS_CERT: cannot use the certificate file '" + certificate_file + "': " + openssl_reason());
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    throw Failure("TLS_KEY: cannot use the key file '" + key_file + "': " + openssl_reason());
  }
  if (SSL_CTX_check_private_key(context.get()) != 1) {
    throw Failure("TLS_KEY: the key in '" + key_file + "' does not belong to the certificate in '" + certificate_file +
                  "'");
  }
  static constexpr unsigned char session_id[] = "proxyxai";
  SSL_CTX_set_session_id_context(context.get(), session_id, sizeof session_id - 1);
  // Tickets only: a server-side session cache would grow with every client.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 1);
  return context;
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* sessions = static_cast<ClientTls::Sessions*>(SSL_get_app_data(ssl));
  if (sessions == nullptr) return 0;
  sessions->put(session);
  return 1;  // the reference is ours now
}

}  // namespace

ServerTls::ServerTls(std::string certificate_file, std::string key_file)
    : certificate_file_(std::move(certificate_file)),
      key_file_(std::move(key_file)),
      context_(make_server_context(certificate_file_, key_file_)) {}

ServerTls::~ServerTls() = default;

void ServerTls::reload() { context_ = make_server_context(certificate_file_, key_file_); }

SslPtr ServerTls::accept() const {
  SslPtr ssl(SSL_new(context_.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

ClientTls::ClientTls(const std::string& extra_ca_file) : context_(make_context(TLS_client_method())) {
  if (SSL_CTX_set_default_verify_paths(context_.get()) != 1) {
    throw Failure("cannot load the system's certificate store: " + openssl_reason());
  }
  if (!extra_ca_file.empty() && SSL_CTX_load_verify_file(context_.get(), extra_ca_file.c_str()) != 1) {
    throw Failure("UPSTREAM_CA_FILE: cannot read certificates from '" + extra_ca_file + "': " + openssl_reason());
  }
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context_.get(), &keep_session);
}

ClientTls::~ClientTls() = default;

SslPtr ClientTls::connect(const std::string& host, Sessions& sessions) const {
  SslPtr ssl(SSL_new(context_.get()));
  if (!ssl) return ssl;
  SSL_set_connect_state(ssl.get());
  SSL_set_app_data(ssl.get(), &sessions);
  in6_addr probe{};
  const bool is_address =
      ::inet_pton(AF_INET, host.c_str(), &probe) == 1 || ::inet_pton(AF_INET6, host.c_str(), &probe) == 1;
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int named = is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                               : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
  // Server Name Indication carries names only (RFC 6066 section 3).
  if (named != 1 || (!is_address && SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1)) return nullptr;
  if (SSL_SESSION* session = sessions.take()) {
    SSL_set_session(ssl.get(), session);
    SSL_SESSION_free(session);
  }
  return ssl;
}

std::string ClientTls::verification_error(const SSL* ssl) {
  const long result = SSL_get_verify_result(ssl);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

ClientTls::Sessions::~Sessions() {
  for (SSL_SESSION* each : kept_) SSL_SESSION_free(each);
}

void ClientTls::Sessions::put(SSL_SESSION* session) {
  if (kept_.size() == kept_sessions) {
    SSL_SESSION_free(kept_.front());
    kept_.erase(kept_.begin());
  }
  kept_.push_back(session);
}

SSL_SESSION* ClientTls::Sessions::take() {
  if (kept_.empty()) return nullptr;
  SSL_SESSION* session = kept_.back();
  kept_.pop_back();
  return session;
}

}  // namespace proxyxai
