#pragma once

#include <cstdint>
#include <string>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/money.hpp"
#include "proxyxai/notify/mail.hpp"

/// The mails that the daemon writes. Pure functions; any thread.
namespace proxyxai::letters {

struct Addressee {
  std::string name;     ///< Of the account.
  std::string email;    ///< Its BillingEmail, or its Email when it has none.
};

/// The account was made. The key is not in it: mail is no place for secrets.
Mail welcome(const Addressee& to, Money balance);
Mail low_balance(const Addressee& to, Money balance);
/// `used` is that of the calendar month, which both limits count.
Mail soft_limit(const Addressee& to, Money used, Money soft_limit, Money hard_limit);
Mail hard_limit(const Addressee& to, Money used, Money hard_limit);
/// What is left on a card will be gone at `expires_at`.
Mail card_expires(const Addressee& to, Money left, WallTime expires_at);

/// An upstream key that serves no more.
struct LostKey {
  std::int64_t id = 0;
  std::string name;
  std::string tail;     ///< Of more than four characters only the last four are shown.
  std::string reason;   ///< Token of the pool, e.g. `invalid_api_key`.
};
/// It is out for good.
Mail key_dead(const Addressee& root, const LostKey& key);
/// It is out until a probe succeeds.
Mail key_exhausted(const Addressee& root, const LostKey& key);

}  // namespace proxyxai::letters
