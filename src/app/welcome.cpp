#include "welcome.hpp"

#include <cstdio>
#include <string>

namespace proxyxai {

void print_welcome(const NewAccountKey& made, const char* scheme, std::uint16_t port, bool has_upstream_keys) {
  const std::string key(made.key.reveal());
  const std::string base = std::string(scheme) + "://localhost:" + std::to_string(port);
  std::string text = "\nThe key of account '" + made.name + "', shown this once and stored only as a hash:\n\n  " + key + "\n\n";
  if (made.name == "root") {
    text += "Type next:\n\n  export ROOT_KEY=" + key + "\n\n";
    text += has_upstream_keys
                ? "  curl " + base + "/x-keys -H \"Authorization: Bearer $ROOT_KEY\"\n\n"
                : "  curl " + base + "/x-keys -H \"Authorization: Bearer $ROOT_KEY\" -d '{\"SecretKey\":\"YOUR-OPENAI-KEY\"}'\n\n";
    text += "  curl -N " + base + "/v1/chat/completions -H \"Authorization: Bearer $ROOT_KEY\" \\\n"
            "    -H 'Content-Type: application/json' \\\n"
            "    -d '{\"model\":\"gpt-4o-mini\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n";
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace proxyxai
