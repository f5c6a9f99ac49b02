#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/signal_set.hpp>

#include "server.hpp"
#include "tls.hpp"

namespace {

constexpr const char* usage =
    "Usage: mock_openai [OPTIONS]\n\n"
    "A mock of the OpenAI API for tests and demonstrations.\n\n"
    "  --port N             0, the default, picks a free one\n"
    "  --bind ADDRESS       127.0.0.1\n"
    "  --port-file FILE     write the port there\n"
    "  --tls-auto DIR       serve TLS with certificates made in DIR; clients trust DIR/ca.pem\n"
    "  --tls-cert FILE --tls-key FILE\n"
    "  --models A,B         what GET /v1/models lists\n"
    "  --prefix /PATH       serve under this path too\n"
    "  --help\n";

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> items;
  std::stringstream stream(text);
  for (std::string item; std::getline(stream, item, ',');) items.push_back(item);
  return items;
}

int run(std::map<std::string, std::string> options) {
  namespace asio = boost::asio;
  asio::io_context loop(1);
  mock::World world{mock::Answers(split(options["--models"])), {}, {}, options["--prefix"]};
  std::optional<asio::ssl::context> context;
  if (!options["--tls-auto"].empty()) context = mock::make_context(mock::make_certificates(options["--tls-auto"]));
  else if (!options["--tls-cert"].empty()) context = mock::make_context({options["--tls-cert"], options["--tls-key"]});
  const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(options["--bind"]), static_cast<std::uint16_t>(std::stoi(options["--port"])));
  asio::ip::tcp::acceptor acceptor(loop, endpoint);
  const unsigned port = acceptor.local_endpoint().port();
  asio::co_spawn(loop, mock::serve(world, acceptor, context ? &*context : nullptr), asio::detached);
  asio::signal_set signals(loop, SIGINT, SIGTERM);
  signals.async_wait([](boost::system::error_code, int) { std::_Exit(0); });
  std::printf("listening on %s://%s:%u\n", context ? "https" : "http", options["--bind"].c_str(), port);
  std::fflush(stdout);
  if (const std::string& file = options["--port-file"]; !file.empty()) {
    std::ofstream(file + ".new") << port << "\n";
    std::filesystem::rename(file + ".new", file);
  }
  loop.run();
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  std::map<std::string, std::string> options{{"--port", "0"}, {"--bind", "127.0.0.1"}, {"--port-file", ""}, {"--tls-auto", ""}, {"--tls-cert", ""},
                                             {"--tls-key", ""}, {"--models", "gpt-4o,gpt-4o-mini,text-embedding-3-small,whisper-1"}, {"--prefix", ""}};
  for (int i = 1; i < count; i += 2) {
    const std::string name = arguments[i];
    if (name == "--help") return std::fputs(usage, stdout) < 0 ? 1 : 0;
    if (!options.contains(name) || i + 1 == count) {
      std::fprintf(stderr, "mock_openai: bad option '%s'\n%s", name.c_str(), usage);
      return 2;
    }
    options[name] = arguments[i + 1];
  }
  try {
    return run(std::move(options));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mock_openai: %s\n", error.what());
    return 1;
  }
}
