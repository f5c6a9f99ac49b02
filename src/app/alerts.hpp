#pragma once

#include <map>
#include <string>
#include <utility>

#include "proxyxai/accounts/service.hpp"
#include "proxyxai/keys/service.hpp"
#include "proxyxai/notify/mailer.hpp"

namespace proxyxai {

/// Decides who is written to, and sees to it that nobody is written to twice about the same: a mark in the database, also after
/// a restart. Does nothing while mail is off. Loop thread only.
class Alerts {
 public:
  struct Parts {
    boost::asio::io_context& loop;
    Mailer& mailer;
    AccountStore& store;
    AccountDirectory& accounts;
    Ledger& ledger;
    AccountService& service;
    KeyService& keys;
    Clock& clock;
  };
  /// `low`: the balance under which an account is warned.
  Alerts(Parts parts, Money low);

  /// Called every second or so.
  void tick(Instant now);

 private:
  void on_created(const AccountRow& account);
  void on_charged(const AccountPtr& account);
  void look_at_keys();
  Task<void> look_at_cards();
  /// Sends `mail` unless `what` carries `value` already.
  void once(std::string what, std::int64_t value, Mail mail);
  Task<void> send_once(std::string what, std::int64_t value, Mail mail);
  void spawn(Task<void> task);

  const Parts parts_;
  const Money low_;
  std::map<std::string, std::int64_t, std::less<>> sent_;  // what this process has asked to be sent
  Instant next_keys_{}, next_cards_{};
};

}  // namespace proxyxai
