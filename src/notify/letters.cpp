#include "proxyxai/notify/letters.hpp"

#include <cstdlib>

#include "encoding.hpp"
#include "proxyxai/base/log.hpp"

namespace proxyxai::letters {
namespace {

constexpr std::size_t most_name = 64;

std::string shown(std::string_view name) { return encoding::one_line(name, most_name); }

/// Whole cents towards zero: a balance is never shown larger than it is.
std::string in_dollars(Money amount) {
  constexpr std::int64_t cent = 10'000'000;
  const std::int64_t cents = amount.nanos / cent;
  const std::string digits = std::to_string(std::abs(cents) + 100);  // at least three
  const std::string whole = std::to_string(std::abs(cents) / 100);
  return (cents < 0 ? "-$" : "$") + whole + "." + digits.substr(digits.size() - 2);
}

/// Each letter is an English sentence or two and, beneath, the same in one Chinese line.
Mail letter(const Addressee& to, std::string subject, const std::string& english, const std::string& chinese) {
  return {to.email, std::move(subject), "Hello " + shown(to.name) + ",\n\n" + english + "\n\n" + chinese + "\n"};
}

/// `key 7 "main" (...AbCd)`, and as much as that only.
std::string described(const LostKey& key) {
  // An operator may have pasted a whole key where the name belongs.
  const std::string name = mask_keys(shown(key.name));
  const std::string tail = shown(key.tail.size() > 4 ? key.tail.substr(key.tail.size() - 4) : key.tail);
  return "key " + std::to_string(key.id) + (name.empty() ? "" : " \"" + name + "\"") + (tail.empty() ? "" : " (..." + tail + ")");
}

std::string because(const LostKey& key) { return key.reason.empty() ? "" : " (" + mask_keys(shown(key.reason)) + ")"; }

}  // namespace

Mail welcome(const Addressee& to, Money balance) {
  const std::string amount = in_dollars(balance);
  return letter(to, "Your account " + shown(to.name) + " is ready",
                "Your account is ready, with a balance of " + amount + ".\n"
                "Its key is not in this mail: it was shown once to whoever made the account, who will pass it on to you.",
                "账户已开通，余额 " + amount + "。密钥不通过邮件发送，请向开户人索取。");
}

Mail low_balance(const Addressee& to, Money balance) {
  const std::string amount = in_dollars(balance);
  return letter(to, "Low balance: " + amount + " left",
                "The balance of your account is down to " + amount + ". When it is used up, requests are refused.",
                "账户余额仅剩 " + amount + "，用完后请求将被拒绝。");
}

Mail soft_limit(const Addressee& to, Money used, Money soft_limit, Money hard_limit) {
  const std::string spent = in_dollars(used), soft = in_dollars(soft_limit), hard = in_dollars(hard_limit);
  return letter(to, "Soft limit of " + soft + " reached",
                "Your account has used " + spent + " this month and so has reached its soft limit of " + soft + ".\n"
                "Nothing is refused yet; at the hard limit of " + hard + " requests will be, until the month ends.",
                "本月已用 " + spent + "，达到软限额 " + soft + "；达到硬限额 " + hard + " 后请求将被拒绝。");
}

Mail hard_limit(const Addressee& to, Money used, Money hard_limit) {
  const std::string spent = in_dollars(used), hard = in_dollars(hard_limit);
  return letter(to, "Hard limit of " + hard + " reached",
                "Your account has used " + spent + " this month and so has reached its hard limit of " + hard + ".\n"
                "Requests are refused until the month ends or the limit is raised.",
                "本月已用 " + spent + "，达到硬限额 " + hard + "；请求将被拒绝，直至月末或限额提高。");
}

Mail card_expires(const Addressee& to, Money left, WallTime expires_at) {
  const std::string amount = in_dollars(left), time = to_rfc3339(expires_at);
  return letter(to, amount + " of your credit will expire soon",
                amount + " of your credit will expire at " + time + ". What is not used by then is gone.",
                "余额中的 " + amount + " 将于 " + time + " 到期，未使用部分作废。");
}

Mail key_dead(const Addressee& root, const LostKey& key) {
  const std::string which = described(key);
  return letter(root, "Upstream " + which + " is dead",
                "Upstream refuses " + which + " for good" + because(key) + ". It is out of the pool and will not be tried again.",
                "上游密钥 " + which + " 已失效，已移出密钥池。");
}

Mail key_exhausted(const Addressee& root, const LostKey& key) {
  const std::string which = described(key);
  return letter(root, "Upstream " + which + " is exhausted",
                "Upstream " + which + " has no money or quota left" + because(key) + ". It is out of the pool until a probe succeeds.",
                "上游密钥 " + which + " 额度已用尽，探测成功后恢复使用。");
}

}  // namespace proxyxai::letters
