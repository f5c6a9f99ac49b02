#include "proxyxai/notify/message.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "encoding.hpp"
#include "proxyxai/base/ascii.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t most_local = 64, most_address = 254, most_name = 100, most_subject = 200;

bool is_letter_or_digit(char c) { return (c >= '0' && c <= '9') || (to_lower(c) >= 'a' && to_lower(c) <= 'z'); }

bool is_atom_or_dot(char c) {
  return is_letter_or_digit(c) || std::string_view(".!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

bool is_domain_character(char c) { return is_letter_or_digit(c) || c == '.' || c == '-'; }

bool is_address(std::string_view text) {
  const auto at = text.find('@');
  if (at == text.npos || at == 0 || at > most_local || text.size() > most_address) return false;
  const std::string_view local = text.substr(0, at), domain = text.substr(at + 1);
  if (domain.empty() || !is_letter_or_digit(domain.front())) return false;
  return std::all_of(local.begin(), local.end(), is_atom_or_dot) && std::all_of(domain.begin(), domain.end(), is_domain_character);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Of RFC 5322, in UTC; strftime would speak the language of the process.
std::string header_date(WallTime time) {
  static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t instant = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  gmtime_r(&instant, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %d %02d:%02d:%02d +0000", days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon],
                parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text;
}

std::string header_mailbox(const Mailbox& mailbox) {
  const std::string name = encoding::one_line(mailbox.name, most_name);
  if (name.empty()) return mailbox.address;
  return encoding::header_phrase(name) + " <" + mailbox.address + ">";
}

std::string body(const Mail& mail, const std::string& service) {
  std::string text = mail.text;
  std::erase(text, '\r');
  while (text.ends_with('\n')) text.pop_back();
  // `-- ` begins a signature, which mail programs set apart and do not quote.
  if (!service.empty()) text += "\n\n-- \n" + encoding::one_line(service, most_name);
  return encoding::quoted_printable(text);
}

}  // namespace

std::optional<Mailbox> parse_mailbox(std::string_view text) {
  Mailbox mailbox;
  std::string_view address = trimmed(text);
  if (const auto opening = address.rfind('<'); opening != address.npos && address.ends_with('>')) {
    std::string_view name = trimmed(address.substr(0, opening));
    if (name.size() >= 2 && name.starts_with('"') && name.ends_with('"')) name = name.substr(1, name.size() - 2);
    if (name.find_first_of("<>") != name.npos) return std::nullopt;
    mailbox.name = encoding::one_line(name, most_name);
    address = address.substr(opening + 1, address.size() - opening - 2);
  }
  if (!is_address(address)) return std::nullopt;
  mailbox.address = address;
  return mailbox;
}

std::string compose_message(const Mail& mail, const MessageHead& head) {
  std::string out;
  const auto header = [&out](const char* name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  header("Date", header_date(head.date));
  header("From", header_mailbox(head.sender));
  header("To", header_mailbox(head.recipient));
  header("Message-ID", "<" + head.id + "@" + std::string(head.sender.domain()) + ">");
  header("Subject", encoding::header_text(encoding::one_line(mail.subject, most_subject)));
  // Keeps absence notices from being sent back (RFC 3834).
  header("Auto-Submitted", "auto-generated");
  header("MIME-Version", "1.0");
  header("Content-Type", "text/plain; charset=UTF-8");
  header("Content-Transfer-Encoding", "quoted-printable");
  return out + "\r\n" + body(mail, head.service);
}

}  // namespace proxyxai
