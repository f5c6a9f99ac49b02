#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxyxai/base/clock.hpp"
#include "proxyxai/notify/mail.hpp"

namespace proxyxai {

/// A party of a message: `Name <local@domain>`.
struct Mailbox {
  std::string name;       ///< UTF-8, one line; often empty.
  std::string address;    ///< ASCII without spaces, control characters or brackets: safe in a header and in an SMTP command.

  [[nodiscard]] std::string_view domain() const { return std::string_view(address).substr(address.find('@') + 1); }
};

/// Reads `local@domain`, `<local@domain>`, `Name <local@domain>` or `"Name" <local@domain>`; control characters of the name
/// become spaces. Nullopt for anything else, for several addresses, and for quoted or non-ASCII ones.
std::optional<Mailbox> parse_mailbox(std::string_view text);

/// What a message says beside the mail itself.
struct MessageHead {
  Mailbox sender, recipient;
  std::string service;    ///< Named at the foot; may be empty.
  WallTime date{};
  std::string id;         ///< Left half of the Message-ID; letters and digits, unlike any other.
};

/// The message of RFC 5322 as SMTP carries it: CRLF, short lines, pure ASCII, so that it passes every server as it is.
/// Nothing in `mail` can add a header or end the head.
std::string compose_message(const Mail& mail, const MessageHead& head);

}  // namespace proxyxai
