#include "proxyxai/notify/mail_queue.hpp"

namespace proxyxai {

std::optional<WaitingMail> MailQueue::put(WaitingMail mail) {
  const Number number = mail.number;
  by_due_.emplace(mail.due, number);
  mails_.emplace(number, std::move(mail));
  if (mails_.size() <= most_) return std::nullopt;
  return take(mails_.begin());
}

std::optional<Instant> MailQueue::next_due() const {
  return by_due_.empty() ? std::nullopt : std::optional(by_due_.begin()->first);
}

WaitingMail MailQueue::take_next() { return take(mails_.find(by_due_.begin()->second)); }

std::optional<WaitingMail> MailQueue::take_expired(Instant now) {
  if (mails_.empty() || mails_.begin()->second.give_up_at > now) return std::nullopt;
  return take(mails_.begin());
}

WaitingMail MailQueue::take(std::map<Number, WaitingMail>::iterator position) {
  WaitingMail mail = std::move(position->second);
  mails_.erase(position);
  by_due_.erase({mail.due, mail.number});
  return mail;
}

}  // namespace proxyxai
