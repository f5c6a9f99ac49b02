#include "tls.hpp"

#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace mock {
namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("cannot make certificates: ") + what);
}

void add_extension(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
  require(extension != nullptr, value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Certificate make(EVP_PKEY* key, const char* name, X509* issuer, EVP_PKEY* issuer_key, long serial) {
  Certificate made(X509_new(), &X509_free);
  X509* const certificate = made.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 10L * 365 * 86400);
  X509_set_pubkey(certificate, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer == nullptr ? certificate : issuer));
  if (issuer == nullptr) {
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
  } else {
    add_extension(certificate, issuer, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    add_extension(certificate, issuer, NID_authority_key_identifier, "keyid");
  }
  require(X509_sign(certificate, issuer_key, EVP_sha256()) > 0, "signing");
  return made;
}

template <class Write>
void write_file(const std::string& name, Write write) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(name.c_str(), "w"), &std::fclose);
  require(file != nullptr && write(file.get()) == 1, name.c_str());
}

}  // namespace

CertificateFiles make_certificates(const std::string& directory) {
  CertificateFiles files{directory + "/server.pem", directory + "/server.key"};
  if (std::filesystem::exists(files.key)) return files;
  std::filesystem::create_directories(directory);
  const Key authority_key(EVP_EC_gen("P-256"), &EVP_PKEY_free), key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const Certificate authority = make(authority_key.get(), "Mock authority", nullptr, authority_key.get(), 1);
  const Certificate certificate = make(key.get(), "localhost", authority.get(), authority_key.get(), 2);
  write_file(directory + "/ca.pem", [&](std::FILE* out) { return PEM_write_X509(out, authority.get()); });
  write_file(files.certificate, [&](std::FILE* out) { return PEM_write_X509(out, certificate.get()); });
  write_file(files.key, [&](std::FILE* out) { return PEM_write_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return files;
}

boost::asio::ssl::context make_context(const CertificateFiles& files) {
  boost::asio::ssl::context context(boost::asio::ssl::context::tls_server);
  context.use_certificate_chain_file(files.certificate);
  context.use_private_key_file(files.key, boost::asio::ssl::context::pem);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_SERVER);
  static constexpr unsigned char name[] = "mock";
  SSL_CTX_set_session_id_context(context.native_handle(), name, sizeof name);
  return context;
}

}  // namespace mock
