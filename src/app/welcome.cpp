#include "welcome.hpp"

#include <cstdio>
#include <string>

#include <nlohmann/json.hpp>

#include "proxyxai/base/clock.hpp"

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

void print_welcome_json(const NewAccountKey& made) {
  const nlohmann::ordered_json line{{"time", to_log_time(std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()))},
                                    {"level", "info"},
                                    {"message", "the key of a new account, shown this once and stored only as a hash"},
                                    {"account", made.name},
                                    {"key", std::string(made.key.reveal())}};
  std::puts(line.dump().c_str());
  std::fflush(stdout);
}

}  // namespace proxyxai
