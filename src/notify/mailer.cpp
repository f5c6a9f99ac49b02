#include "proxyxai/notify/mailer.hpp"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <stdexcept>

#include <spdlog/spdlog.h>

#include "encoding.hpp"
#include "proxyxai/base/random.hpp"
#include "smtp.hpp"

namespace proxyxai {
namespace {

Mailbox sender_of(const Mailer::Settings& settings) {
  const auto sender = settings.host.empty() ? Mailbox{} : parse_mailbox(settings.sender);
  if (!sender) throw std::invalid_argument("the sender of mails is no address");
  return *sender;
}

/// Not secret, only unlike any other.
std::string make_message_id() {
  char text[40];
  std::snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, random_u64(), random_u64());
  return text;
}

}  // namespace

/// What the thread knows beside the queue.
class Mailer::Courier {
 public:
  explicit Courier(Mailer& mailer) : mailer_(mailer), client_(mailer.settings_, mailer.sender_, mailer.stop_) {}

  /// No mail is tried before: the server is not usable.
  [[nodiscard]] Instant rests_until() const { return rests_until_; }

  void attempt(WaitingMail mail) {
    const Delivery delivery = client_.deliver(mail.recipient, mail.message);
    if (delivery.verdict != Delivery::Verdict::unreachable) server_failures_ = 0;
    mail.fault = delivery.detail;
    switch (delivery.verdict) {
      case Delivery::Verdict::sent: settle_sent(); break;
      case Delivery::Verdict::refused: mailer_.fail(mail, "was refused"); break;
      case Delivery::Verdict::put_off: put_off(std::move(mail)); break;
      case Delivery::Verdict::unreachable: rest(std::move(mail)); break;
      case Delivery::Verdict::stopped: break;
    }
  }

 private:
  void settle_sent() {
    ++mailer_.figures_.sent;
    --mailer_.figures_.waiting;
  }

  void put_off(WaitingMail mail) {
    const milliseconds pause = mailer_.pause_after(++mail.attempts);
    spdlog::warn("mail to {} was put off: {}; next attempt in {} s", mail.recipient, mail.fault, pause.count() / 1000);
    mail.due = std::chrono::steady_clock::now() + pause;
    mailer_.put(std::move(mail));
  }

  void rest(WaitingMail mail) {
    const milliseconds pause = mailer_.pause_after(++server_failures_);
    rests_until_ = std::chrono::steady_clock::now() + pause;
    spdlog::warn("the mail server {}:{} cannot be used: {}; mails waiting: {}, next attempt in {} s", mailer_.settings_.host,
                 mailer_.settings_.port, mail.fault, mailer_.figures_.waiting.load(), pause.count() / 1000);
    mailer_.put(std::move(mail));
  }

  Mailer& mailer_;
  SmtpClient client_;
  unsigned server_failures_ = 0;    // in a row
  Instant rests_until_{};
};

MailTls Mailer::Settings::effective_tls() const {
  constexpr std::uint16_t submissions_port = 465;  // RFC 8314
  return tls.value_or(port == submissions_port ? MailTls::tls : MailTls::starttls);
}

Mailer::Mailer(Settings settings) : settings_(std::move(settings)), sender_(sender_of(settings_)), queue_(settings_.most_waiting) {
  if (!is_on()) return;
  courier_ = std::make_unique<Courier>(*this);
  thread_ = std::thread([this] { serve(); });
}

Mailer::~Mailer() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
  if (figures_.waiting > 0) spdlog::warn("mails that were not sent: {}", figures_.waiting.load());
}

void Mailer::send(const Mail& mail) {
  if (!is_on()) return;
  const auto recipient = parse_mailbox(mail.to);
  if (!recipient) {
    ++figures_.failed;
    spdlog::warn("mail to '{}' is not sent: that is no address", encoding::one_line(mail.to, 100));
    return;
  }
  const WallTime date = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  WaitingMail waiting;
  waiting.recipient = recipient->address;
  waiting.message = compose_message(mail, {sender_, *recipient, settings_.service, date, make_message_id()});
  waiting.due = std::chrono::steady_clock::now();
  waiting.give_up_at = waiting.due + settings_.give_up_after;
  waiting.fault = "the mail server could not be used";
  ++figures_.waiting;
  put(std::move(waiting));
  wake_.notify_one();
}

void Mailer::put(WaitingMail mail) {
  std::optional<WaitingMail> dropped;
  {
    const std::lock_guard lock(mutex_);
    if (mail.number == 0) mail.number = ++accepted_;
    dropped = queue_.put(std::move(mail));
  }
  if (!dropped) return;
  ++figures_.dropped;
  --figures_.waiting;
  spdlog::warn("mail to {} is dropped: more than {} wait", dropped->recipient, settings_.most_waiting);
}

void Mailer::fail(const WaitingMail& mail, std::string_view why) {
  ++figures_.failed;
  --figures_.waiting;
  spdlog::warn("mail to {} {}: {}", mail.recipient, why, mail.fault);
}

milliseconds Mailer::pause_after(unsigned failures) const {
  return settings_.pauses[std::min<std::size_t>(failures, settings_.pauses.size()) - 1];
}

void Mailer::serve() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    const Instant now = std::chrono::steady_clock::now();
    const auto expired = queue_.take_expired(now);
    const auto due = queue_.next_due();
    if (expired) {
      lock.unlock();
      fail(*expired, "is given up");
      lock.lock();
    } else if (!due) {
      wake_.wait(lock);
    } else if (const Instant next = std::max(*due, courier_->rests_until()); next > now) {
      wake_.wait_until(lock, next);
    } else {
      WaitingMail mail = queue_.take_next();
      lock.unlock();
      courier_->attempt(std::move(mail));
      lock.lock();
    }
  }
}

}  // namespace proxyxai
