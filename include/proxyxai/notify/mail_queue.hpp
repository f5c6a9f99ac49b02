#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "proxyxai/base/clock.hpp"

namespace proxyxai {

/// A composed message on its way.
struct WaitingMail {
  std::uint64_t number = 0;    ///< In order of acceptance; unique.
  std::string recipient;       ///< Address.
  std::string message;
  Instant due{};               ///< Not tried before.
  Instant give_up_at{};
  unsigned attempts = 0;       ///< Those that failed.
  std::string fault;           ///< What became of the last one.
};

/// Mails by the time they are due, at most so many; the oldest one gives way. Not synchronised.
class MailQueue {
 public:
  explicit MailQueue(std::size_t most) : most_(most) {}

  /// Adds a mail, or one back that was taken. Returns the oldest when it had to give way, which may be this one.
  std::optional<WaitingMail> put(WaitingMail mail);
  /// When the next mail is due; nullopt when none waits.
  [[nodiscard]] std::optional<Instant> next_due() const;
  /// The mail that has been due the longest; one must wait.
  WaitingMail take_next();
  /// The oldest mail when its time to give up has come.
  std::optional<WaitingMail> take_expired(Instant now);

  [[nodiscard]] std::size_t size() const { return mails_.size(); }

 private:
  using Number = std::uint64_t;
  WaitingMail take(std::map<Number, WaitingMail>::iterator position);

  const std::size_t most_;
  std::map<Number, WaitingMail> mails_;
  std::set<std::pair<Instant, Number>> by_due_;  // the same mails
};

}  // namespace proxyxai
