#include "alerts.hpp"

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include "proxyxai/notify/letters.hpp"

namespace proxyxai {
namespace {

constexpr seconds keys_interval{10}, cards_interval{3'600};
constexpr std::chrono::hours ahead{7 * 24};
constexpr std::size_t most_cards_at_once = 5'000;
constexpr std::size_t most_remembered = 100'000;
constexpr std::string_view cards_mark = "cards warned to";

letters::Addressee addressee(const AccountRow& account) {
  return {account.name, account.billing_email.empty() ? account.email : account.billing_email};
}

}  // namespace

Alerts::Alerts(Parts parts, Money low) : parts_(parts), low_(low) {
  if (!parts_.mailer.is_on()) return;
  parts_.service.on_created([this](const AccountRow& account) { on_created(account); });
  parts_.ledger.on_charged([this](const AccountPtr& account) { on_charged(account); });
}

void Alerts::spawn(Task<void> task) {
  boost::asio::co_spawn(parts_.loop.get_executor(), std::move(task), [](std::exception_ptr failure) {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      spdlog::error("mail: {}", error.what());
    }
  });
}

void Alerts::on_created(const AccountRow& account) { parts_.mailer.send(letters::welcome(addressee(account), account.balance())); }

void Alerts::on_charged(const AccountPtr& account) {
  const AccountRow& row = account->row;
  if (row.is_root) return;
  const std::string id = std::to_string(row.id);
  const std::int32_t month = parts_.ledger.month();
  const Money used = account->used_in(month);
  if (row.hard_limit.nanos > 0 && used >= row.hard_limit) {
    once("mailed hard " + id, month, letters::hard_limit(addressee(row), used, row.hard_limit));
  } else if (row.soft_limit.nanos > 0 && used >= row.soft_limit) {
    once("mailed soft " + id, month, letters::soft_limit(addressee(row), used, row.soft_limit, row.hard_limit));
  }
  // Once for each time that it was filled up.
  if (account->balance() < low_) {
    once("mailed low " + id, row.credit_granted.nanos, letters::low_balance(addressee(row), account->balance()));
  }
}

void Alerts::once(std::string what, std::int64_t value, Mail mail) {
  if (sent_.size() > most_remembered) sent_.clear();
  auto& last = sent_[what];
  if (last == value) return;
  last = value;
  spawn(send_once(std::move(what), value, std::move(mail)));
}

Task<void> Alerts::send_once(std::string what, std::int64_t value, Mail mail) {
  bool is_new = false;
  auto mark = [&](AccountTransaction& transaction) {
    is_new = transaction.mark(what) != value;
    if (is_new) transaction.set_mark(what, value);
  };
  co_await parts_.store.transact(std::move(mark));
  if (is_new) parts_.mailer.send(mail);
}

void Alerts::look_at_keys() {
  const letters::Addressee root;
  for (const KeyView& key : parts_.keys.list()) {
    const bool is_dead = key.health.state == KeyState::dead;
    if (!is_dead && key.health.state != KeyState::exhausted) continue;
    const std::string what = (is_dead ? "mailed dead key " : "mailed exhausted key ") + std::to_string(key.id);
    const std::int64_t since = to_unix_ms(key.health.since);
    if (const auto known = sent_.find(what); known != sent_.end() && known->second == since) continue;
    const letters::LostKey lost{key.id, key.name, key.partial, key.health.reason};
    auto write = [](Alerts& self, std::string subject, std::int64_t value, letters::LostKey about, bool dead) -> Task<void> {
      const auto owner = co_await self.parts_.store.find_by_name("root");
      if (!owner) co_return;
      self.once(std::move(subject), value, dead ? letters::key_dead(addressee(*owner), about) : letters::key_exhausted(addressee(*owner), about));
    };
    spawn(write(*this, what, since, lost, is_dead));
  }
}

Task<void> Alerts::look_at_cards() {
  const WallTime now = parts_.clock.wall_now();
  std::vector<std::pair<AccountRow, CardRow>> expiring;
  auto look = [&expiring, now](AccountTransaction& transaction) {
    const std::int64_t mark = transaction.mark(cards_mark);
    const WallTime from = mark == 0 ? now : from_unix_ms(mark);
    for (CardRow& each : transaction.cards_expiring(from, now + ahead, most_cards_at_once)) {
      if (auto account = transaction.account(each.account_id)) expiring.emplace_back(std::move(*account), std::move(each));
    }
    transaction.set_mark(cards_mark, to_unix_ms(now + ahead));
  };
  co_await parts_.store.transact(std::move(look));
  for (const auto& [account, card] : expiring) {
    parts_.mailer.send(letters::card_expires(addressee(account), card.balance, card.expires_at));
  }
}

void Alerts::tick(Instant now) {
  if (!parts_.mailer.is_on()) return;
  if (now >= next_keys_) {
    next_keys_ = now + keys_interval;
    look_at_keys();
  }
  if (now >= next_cards_) {
    next_cards_ = now + cards_interval;
    spawn(look_at_cards());
  }
}

}  // namespace proxyxai
