#pragma once

#include <string>

namespace proxyxai {

/// A mail as it is written: UTF-8, lines end with `\n`. What of it may not stand in a message is taken out when it is composed.
struct Mail {
  std::string to;       ///< One address; a mail to anything else is refused by the Mailer.
  std::string subject;
  std::string text;
};

}  // namespace proxyxai
