#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "proxyxai/notify/mailer.hpp"

namespace proxyxai {

/// What became of an attempt to hand a mail to the server.
struct Delivery {
  enum class Verdict {
    sent,
    refused,        ///< For good: this recipient or this content.
    put_off,        ///< This mail failed; others may pass.
    unreachable,    ///< No mail can pass: the server was not reached, or refused before it heard of a recipient.
    stopped,        ///< Because the daemon ends.
  };
  Verdict verdict = Verdict::unreachable;
  std::string detail;   ///< The server's reply or libcurl's words; one line, no secret.
};

/// Hands mails to one server by libcurl. One thread at a time.
///
/// A connection serves one mail: libcurl says QUIT to kept ones when they are closed, out of reach of `stop`.
class SmtpClient {
 public:
  /// `stop` outlives it; an attempt ends within about a second of it. Throws std::runtime_error when libcurl lacks what mail needs.
  SmtpClient(const Mailer::Settings& settings, const Mailbox& sender, const std::atomic<bool>& stop);
  ~SmtpClient() = default;
  SmtpClient(const SmtpClient&) = delete;
  SmtpClient& operator=(const SmtpClient&) = delete;

  /// Blocks until the server has answered for the whole mail, or not.
  Delivery deliver(const std::string& recipient, std::string_view message);

 private:
  void set_up(const Mailer::Settings& settings, const Mailbox& sender);
  [[nodiscard]] Delivery judge(CURLcode code) const;

  // libcurl's callbacks, with `this` as `self`.
  static std::size_t read_message(char* into, std::size_t size, std::size_t count, void* self);
  static std::size_t note_reply(char* line, std::size_t size, std::size_t count, void* self);
  static int note_command(CURL* handle, curl_infotype type, char* text, std::size_t size, void* self);
  static int is_stopped(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  const std::atomic<bool>& stop_;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_;
  char error_[CURL_ERROR_SIZE] = "";
  std::string_view unread_;         // of the message
  std::string reply_;               // the last line that the server answered
  bool recipient_named_ = false;    // RCPT has been said
  bool leaving_ = false;            // QUIT has been said, whose reply means nothing
};

}  // namespace proxyxai
