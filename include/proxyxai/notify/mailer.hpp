#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/secret.hpp"
#include "proxyxai/notify/mail_queue.hpp"
#include "proxyxai/notify/message.hpp"

namespace proxyxai {

/// How the connection to the mail server is protected; the certificate is always verified.
enum class MailTls {
  starttls,    ///< Begins in the clear and must be upgraded before anything is said.
  tls,         ///< From the first byte.
  none,        ///< Mail and password are readable on the way.
};

/// Sends mail by SMTP on a thread of its own, so that no request waits for it.
///
/// A mail whose recipient or content the server refuses for good (5xx) is given up; one that it puts off is tried again
/// after growing pauses. While the server itself cannot be used (unreachable, no TLS, login denied, sender refused) all mail
/// waits, so that thousands of mails do not knock one by one. Mails wait in memory: those not sent when the daemon ends are
/// lost, with a line in the log.
class Mailer {
 public:
  struct Settings {
    std::string host;                    ///< Name or IP address; empty: mail is off.
    std::uint16_t port = 587;
    std::string user;                    ///< Empty: no authentication.
    Secret password;
    std::string sender;                  ///< As parse_mailbox reads it.
    std::optional<MailTls> tls;          ///< Not set: `starttls`, with port 465 `tls`.
    std::string service;                 ///< Named at the foot of every mail; may be empty.
    std::string ca_file;                 ///< Trusted instead of the system's store; empty: the system's.

    std::size_t most_waiting = 10'000;   ///< Beyond, the oldest is dropped.
    /// After each failure the next one; the last again and again. At least one.
    std::vector<milliseconds> pauses{std::chrono::seconds(10), std::chrono::minutes(1), std::chrono::minutes(5),
                                     std::chrono::minutes(15), std::chrono::hours(1)};
    milliseconds give_up_after = std::chrono::hours(24);
    milliseconds connect_timeout = std::chrono::seconds(30);
    milliseconds attempt_timeout = std::chrono::minutes(5);    ///< For the whole of one attempt.

    [[nodiscard]] MailTls effective_tls() const;
  };

  /// For metrics; any thread.
  struct Figures {
    std::atomic<std::uint64_t> sent{0};
    std::atomic<std::uint64_t> failed{0};     ///< Refused, or given up after all attempts.
    std::atomic<std::uint64_t> dropped{0};    ///< Because too many waited.
    std::atomic<std::uint64_t> waiting{0};    ///< The one that is being sent included.
  };

  /// Throws std::invalid_argument when there is a host and `sender` is no mailbox; std::runtime_error when libcurl lacks
  /// what mail needs.
  explicit Mailer(Settings settings);
  /// Breaks off what is being sent and ends the thread, within about a second.
  ~Mailer();
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;

  /// Hands over a mail and returns at once; does nothing when mail is off. Any thread.
  void send(const Mail& mail);

  [[nodiscard]] bool is_on() const { return !settings_.host.empty(); }
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  class Courier;
  void serve();
  void fail(const WaitingMail& mail, std::string_view why);
  void put(WaitingMail mail);
  [[nodiscard]] milliseconds pause_after(unsigned failures) const;

  const Settings settings_;
  const Mailbox sender_;
  Figures figures_;

  std::mutex mutex_;
  std::condition_variable wake_;
  MailQueue queue_;                  // under mutex_
  std::uint64_t accepted_ = 0;       // under mutex_
  std::atomic<bool> stop_{false};    // set under mutex_; read by transfers without
  std::unique_ptr<Courier> courier_;    // null when mail is off
  std::thread thread_;
};

}  // namespace proxyxai
