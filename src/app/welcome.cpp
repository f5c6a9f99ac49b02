#include "welcome.hpp"

#include <cstdio>
#include <string>

namespace proxyxai {

void print_welcome(const Secret& root_key, const char* scheme, std::uint16_t port) {
  const std::string base = std::string(scheme) + "://localhost:" + std::to_string(port);
  std::string text =
      "\nThis is the root key. It is shown this once and stored only as a hash:\n\n"
      "  ROOT_KEY=" + std::string(root_key.reveal()) + "\n\n"
      "Type next:\n\n"
      "  1. export ROOT_KEY=" + std::string(root_key.reveal()) + "\n"
      "  2. curl " + base + "/x-keys -H \"Authorization: Bearer $ROOT_KEY\" \\\n"
      "       -d '{\"SecretKey\":\"<your sk-... key of OpenAI>\"}'\n"
      "  3. curl " + base + "/v1/chat/completions -H \"Authorization: Bearer $ROOT_KEY\" \\\n"
      "       -H 'Content-Type: application/json' \\\n"
      "       -d '{\"model\":\"gpt-4o-mini\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'\n\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace proxyxai
