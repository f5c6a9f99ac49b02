// The upstream of the benchmark: one thread, epoll, plain or TLS. A chat request gets a fixed answer of 1.1 KB, at once or with --think-ms later; one
// that names X-Bench-Events gets that many server-sent events, X-Bench-Rate of them a second.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void die(const char* what) {
  std::perror(what);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  std::exit(1);
}

std::string make_answer() {
  std::string body = R"({"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":"gpt-4o-mini","choices":[{"index":0,"message":{"role":"assistant","content":")";
  while (body.size() < 900) body += "All work and no play makes a dull benchmark. ";
  body += R"("},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":180,"total_tokens":199},"service_tier":"default"})";
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nx-request-id: req_bench\r\nopenai-processing-ms: 12\r\nopenai-version: 2020-10-01\r\n\r\n" + body;
}

const std::string answer = make_answer();
const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\nx-request-id: req_bench\r\n\r\n";

std::string make_event() {
  std::string data = R"(data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","system_fingerprint":"fp","choices":[{"index":0,"delta":{"content":" word"},"finish_reason":null}]})";
  data += "\n\n";
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", data.size());
  return size + data + "\r\n";
}
const std::string event = make_event();

// NOLINTNEXTLINE(cppcoreguidelines-special-member-functions): an aggregate that never leaves its unique_ptr
struct Connection {
  int fd = -1;
  SSL* ssl = nullptr;
  bool shaken = false;
  std::string in, out;
  unsigned events_left = 0;  // 0 while something is due: a whole answer
  std::chrono::nanoseconds interval{};
  Clock::time_point next{};
  ~Connection() {
    if (ssl != nullptr) SSL_free(ssl);
    if (fd >= 0) close(fd);
  }
};

using Due = std::pair<Clock::time_point, int>;
// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables): one thread, one loop
std::map<int, std::unique_ptr<Connection>> connections;
std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
// Whole answers come after about so long.
std::chrono::nanoseconds thinking{};
// NOLINTNEXTLINE(cert-msc51-cpp): the same in each run
std::minstd_rand spread(1);
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

/// `thinking`, and up to a fiftieth more or less, so that clients who began at once do not stay together.
std::chrono::nanoseconds think() {
  const auto most = static_cast<std::int64_t>(thinking.count() / 50);
  return thinking + std::chrono::nanoseconds(std::uniform_int_distribution<std::int64_t>(-most, most)(spread));
}

/// Writes what waits; false: the connection is gone. What the peer does not take stays.
bool flush(Connection& c) {
  while (!c.out.empty()) {
    const long put = c.ssl != nullptr ? SSL_write(c.ssl, c.out.data(), static_cast<int>(c.out.size())) : send(c.fd, c.out.data(), c.out.size(), MSG_NOSIGNAL);
    if (put <= 0) {
      if (c.ssl != nullptr) return SSL_get_error(c.ssl, static_cast<int>(put)) == SSL_ERROR_WANT_WRITE;
      return errno == EAGAIN;
    }
    c.out.erase(0, static_cast<std::size_t>(put));
  }
  return true;
}

unsigned number_behind(std::string_view head, std::string_view name) {
  const auto at = head.find(name);
  return at == head.npos ? 0 : static_cast<unsigned>(std::strtoul(head.data() + at + name.size(), nullptr, 10));
}

/// Answers every complete request in the buffer.
void serve(Connection& c) {
  for (;;) {
    const auto end = c.in.find("\r\n\r\n");
    if (end == c.in.npos) return;
    const std::string_view head(c.in.data(), end + 4);
    std::size_t length = number_behind(head, "Content-Length: ");
    if (length == 0) length = number_behind(head, "content-length: ");
    if (c.in.size() < end + 4 + length) return;
    const unsigned events = number_behind(head, "X-Bench-Events: ");
    if (events == 0 && thinking.count() > 0) {
      c.next = Clock::now() + think();
      due.emplace(c.next, c.fd);
    } else if (events == 0) {
      c.out += answer;
    } else {
      const unsigned rate = std::max(1U, number_behind(head, "X-Bench-Rate: "));
      c.out += stream_head;
      c.events_left = events;
      c.interval = std::chrono::nanoseconds(1'000'000'000 / rate);
      c.next = Clock::now() + c.interval;
      due.emplace(c.next, c.fd);
    }
    c.in.erase(0, end + 4 + length);
  }
}

bool read_some(Connection& c) {
  char piece[16384];
  if (c.ssl != nullptr && !c.shaken) {
    const int done = SSL_accept(c.ssl);
    if (done != 1) return SSL_get_error(c.ssl, done) == SSL_ERROR_WANT_READ;
    c.shaken = true;
  }
  for (;;) {
    const long got = c.ssl != nullptr ? SSL_read(c.ssl, piece, sizeof piece) : recv(c.fd, piece, sizeof piece, 0);
    if (got <= 0) {
      if (c.ssl != nullptr) {
        const bool more = SSL_get_error(c.ssl, static_cast<int>(got)) == SSL_ERROR_WANT_READ;
        ERR_clear_error();
        return more;
      }
      return got < 0 && errno == EAGAIN;
    }
    c.in.append(piece, static_cast<std::size_t>(got));
    serve(c);
    if (!flush(c)) return false;
    if (c.ssl == nullptr && got < static_cast<long>(sizeof piece)) return true;
  }
}

/// Writes what is due; the time until more is.
std::chrono::nanoseconds run_due(Clock::time_point now) {
  while (!due.empty() && due.top().first <= now) {
    const Due top = due.top();
    due.pop();
    const auto found = connections.find(top.second);
    if (found == connections.end() || found->second->next != top.first) continue;
    Connection& c = *found->second;
    if (c.events_left == 0) {
      c.out += answer;
    } else if (c.out += event; --c.events_left == 0) {
      c.out += "0\r\n\r\n";
    } else {
      c.next += c.interval;
      due.emplace(c.next, c.fd);
    }
    if (!flush(c)) connections.erase(found);
  }
  if (due.empty()) return std::chrono::seconds(1);
  return std::max<std::chrono::nanoseconds>(std::chrono::nanoseconds(0), due.top().first - Clock::now());
}

}  // namespace

int main(int count, char** arguments) {
  std::signal(SIGPIPE, SIG_IGN);
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < count; i += 2) options[arguments[i]] = arguments[i + 1];
  if (options.contains("--think-ms")) thinking = std::chrono::milliseconds(std::strtol(options["--think-ms"].c_str(), nullptr, 10));
  SSL_CTX* tls = nullptr;
  if (options.contains("--cert")) {
    tls = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(tls, options["--cert"].c_str()) != 1 || SSL_CTX_use_PrivateKey_file(tls, options["--key"].c_str(), SSL_FILETYPE_PEM) != 1) die("certificate");
    SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener, 4096) != 0) die("listen");
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  if (std::FILE* const file = std::fopen(options["--port-file"].c_str(), "w")) {
    std::fprintf(file, "%d\n", ntohs(address.sin_port));
    std::fclose(file);
  }
  const int poll = epoll_create1(0);
  epoll_event item{};
  item.events = EPOLLIN;
  item.data.fd = listener;
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &item);
  std::vector<epoll_event> ready(512);
  for (std::chrono::nanoseconds wait = std::chrono::seconds(1);;) {
    const timespec timeout{wait.count() / 1'000'000'000, wait.count() % 1'000'000'000};
    const int found = epoll_pwait2(poll, ready.data(), static_cast<int>(ready.size()), &timeout, nullptr);
    for (int i = 0; i < found; ++i) {
      const int fd = ready[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        for (int accepted = -1; (accepted = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
          setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          auto c = std::make_unique<Connection>();
          c->fd = accepted;
          if (tls != nullptr) {
            c->ssl = SSL_new(tls);
            SSL_set_fd(c->ssl, accepted);
          }
          item.events = EPOLLIN;
          item.data.fd = accepted;
          epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &item);
          connections[accepted] = std::move(c);
        }
        continue;
      }
      const auto at = connections.find(fd);
      if (at != connections.end() && !read_some(*at->second)) connections.erase(at);
    }
    wait = run_due(Clock::now());
  }
}
