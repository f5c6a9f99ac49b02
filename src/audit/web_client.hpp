#pragma once

#include <memory>
#include <string>

#include <curl/curl.h>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/secret.hpp"

namespace proxyxai {

/// Asks web servers, one question at a time. Certificates are verified, redirects not followed. Blocks the calling thread, for a
/// minute at most; one thread at a time.
class WebClient {
 public:
  /// `ca_file`: trusted beside the system's store; `proxy`: http://[user:password@]host:port; empty: none.
  WebClient(const std::string& ca_file, const std::string& proxy, milliseconds connect_timeout);

  struct Answer {
    long status = 0;
    std::string body;  ///< At most `most_body` bytes; more is a failure.
  };
  static constexpr std::size_t most_body = 16 << 20;
  /// GET. Throws Failure when there is no answer.
  Answer get(const std::string& url, const Secret& bearer);

 private:
  static std::size_t take(char* data, std::size_t size, std::size_t count, void* self);

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_;
  char error_[CURL_ERROR_SIZE] = {};
  std::string body_;
};

}  // namespace proxyxai
