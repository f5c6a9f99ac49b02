#pragma once

#include <string>

#include <boost/asio/ssl/context.hpp>

namespace mock {

struct CertificateFiles {
  std::string certificate, key;
};

/// Makes `ca.pem`, `server.pem` and `server.key` in `directory`: an authority and a certificate of it for localhost and
/// 127.0.0.1. Files that are there already are used again, so that a restarted mock is still trusted.
CertificateFiles make_certificates(const std::string& directory);

/// Serves with these files, TLS 1.2 and newer, with session tickets.
boost::asio::ssl::context make_context(const CertificateFiles& files);

}  // namespace mock
