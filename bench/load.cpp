// The clients of the benchmark: one thread, epoll, keep-alive connections, each with one request at a time. Prints one JSON
// object. With --events it opens all streams over a second and counts their events. With `--tls 1` it speaks TLS, and does not look at
// certificates: it is load, and the proxy's side of a handshake costs the same.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  unsigned port = 0, connections = 64, events = 0, rate = 50;
  double seconds = 5, warmup = 1;
  bool tls = false;
  std::string key, started_file;
};

struct Client {
  int fd = -1;
  SSL* tls = nullptr;
  std::string in;
  Clock::time_point sent{}, last_event{};
  bool in_stream = false, done = false;
};

struct Result {
  unsigned long requests = 0, errors = 0, events = 0, finished = 0;
  std::vector<float> latencies_us, gaps_ms;
};

[[noreturn]] void die(const char* what) {
  std::perror(what);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
  std::exit(1);
}

std::string make_request(const Options& o) {
  std::string body = R"({"model":"gpt-4o-mini","messages":[{"role":"system","content":"You are a helpful assistant who answers briefly."},{"role":"user","content":"Tell me in two sentences why a proxy should add as little as it can to the time of a request."}],"temperature":0.7)";
  if (o.events > 0) body += R"(,"stream":true)";
  body += "}";
  std::string head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + o.key +
                     "\r\nContent-Type: application/json\r\nAccept: application/json\r\nUser-Agent: OpenAI/Python 3.3\r\n";
  if (o.events > 0) head += "X-Bench-Events: " + std::to_string(o.events) + "\r\nX-Bench-Rate: " + std::to_string(o.rate) + "\r\n";
  return head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

int open_connection(unsigned port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

void start_tls(Client& client, SSL_CTX* context) {
  client.tls = SSL_new(context);
  if (client.tls == nullptr || SSL_set_fd(client.tls, client.fd) != 1 || SSL_connect(client.tls) != 1) die("handshake");
  // From now on a record that has not come as a whole must not be waited for.
  fcntl(client.fd, F_SETFL, O_NONBLOCK);
}

void send_request(Client& client, const std::string& request) {
  client.sent = Clock::now();
  if (client.tls != nullptr) {
    if (SSL_write(client.tls, request.data(), static_cast<int>(request.size())) != static_cast<int>(request.size())) die("send");
    return;
  }
  if (send(client.fd, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) die("send");
}

/// Adds what has come to `client.in`. False: the connection has ended.
bool receive(Client& client, std::vector<char>& piece) {
  if (client.tls == nullptr) {
    const ssize_t got = recv(client.fd, piece.data(), piece.size(), MSG_DONTWAIT);
    if (got > 0) client.in.append(piece.data(), static_cast<std::size_t>(got));
    return got > 0;
  }
  do {
    const int got = SSL_read(client.tls, piece.data(), static_cast<int>(piece.size()));
    // A ticket, or half a record.
    if (got <= 0) return SSL_get_error(client.tls, got) == SSL_ERROR_WANT_READ;
    client.in.append(piece.data(), static_cast<std::size_t>(got));
  } while (SSL_pending(client.tls) > 0);
  return true;
}

/// Length of the complete answer at the start of `in`, or 0.
std::size_t answer_size(std::string_view in) {
  const auto end = in.find("\r\n\r\n");
  if (end == in.npos) return 0;
  auto at = in.substr(0, end).find("Content-Length: ");
  if (at == in.npos) at = in.substr(0, end).find("content-length: ");
  if (at == in.npos) return 0;
  const std::size_t size = end + 4 + std::strtoul(in.data() + at + 16, nullptr, 10);
  return in.size() >= size ? size : 0;
}

void count_events(Client& client, Result& result) {
  std::string& in = client.in;
  if (!client.in_stream) {
    const auto end = in.find("\r\n\r\n");
    if (end == in.npos) return;
    if (!in.starts_with("HTTP/1.1 200")) ++result.errors;
    in.erase(0, end + 4);
    client.in_stream = true;
  }
  std::size_t at = 0;
  for (std::size_t found = 0; (found = in.find("\n\n", at)) != in.npos; at = found + 2) {
    ++result.events;
    const auto now = Clock::now();
    if (client.last_event != Clock::time_point{} && result.events % 16 == 0) {
      result.gaps_ms.push_back(std::chrono::duration<float, std::milli>(now - client.last_event).count());
    }
    client.last_event = now;
  }
  in.erase(0, at);
  if (in.ends_with("0\r\n\r\n")) {
    client.done = true;
    ++result.finished;
  }
}

float percentile(std::vector<float>& values, double part) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<long>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

int main(int count, char** arguments) {
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < count; i += 2) given[arguments[i]] = arguments[i + 1];
  Options o;
  const auto number = [&](const char* name, double otherwise) { return given.contains(name) ? std::stod(given[name]) : otherwise; };
  o.port = static_cast<unsigned>(number("--port", 0));
  o.connections = static_cast<unsigned>(number("--connections", 64));
  o.events = static_cast<unsigned>(number("--events", 0));
  o.rate = static_cast<unsigned>(number("--rate", 50));
  o.seconds = number("--seconds", 5);
  o.warmup = number("--warmup", 1);
  o.tls = number("--tls", 0) != 0;
  o.key = given["--key"];
  o.started_file = given["--started-file"];
  const std::string request = make_request(o);
  const int poll = epoll_create1(0);
  SSL_CTX* const context = o.tls ? SSL_CTX_new(TLS_client_method()) : nullptr;
  std::vector<Client> clients(o.connections);
  for (std::size_t i = 0; i < clients.size(); ++i) {
    clients[i].fd = open_connection(o.port);
    if (context != nullptr) start_tls(clients[i], context);
    epoll_event item{};
    item.events = EPOLLIN;
    item.data.u64 = i;
    epoll_ctl(poll, EPOLL_CTL_ADD, clients[i].fd, &item);
    send_request(clients[i], request);
    if (o.events > 0 && i % 10 == 9) usleep(10'000 * 1000 / std::max(1000U, o.connections));
  }
  if (!o.started_file.empty()) {
    if (std::FILE* const file = std::fopen(o.started_file.c_str(), "w")) std::fclose(file);
  }
  Result result;
  const auto start = Clock::now();
  const auto measured_from = start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(o.warmup));
  const auto end = measured_from + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(o.seconds));
  std::vector<epoll_event> ready(512);
  std::vector<char> piece(65'536);
  unsigned long all_requests = 0;
  while (Clock::now() < end && (o.events == 0 || result.finished + result.errors < clients.size())) {
    const int found = epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), 100);
    for (int i = 0; i < found; ++i) {
      Client& client = clients[ready[static_cast<std::size_t>(i)].data.u64];
      if (!receive(client, piece)) {
        if (!client.done) ++result.errors;
        epoll_ctl(poll, EPOLL_CTL_DEL, client.fd, nullptr);
        continue;
      }
      if (o.events > 0) {
        count_events(client, result);
        continue;
      }
      const std::size_t size = answer_size(client.in);
      if (size == 0) continue;
      const auto now = Clock::now();
      ++all_requests;
      if (!client.in.starts_with("HTTP/1.1 200") || client.in.size() != size || size < 1000) ++result.errors;
      if (now >= measured_from) {
        ++result.requests;
        result.latencies_us.push_back(std::chrono::duration<float, std::micro>(now - client.sent).count());
      }
      client.in.clear();
      send_request(client, request);
    }
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - measured_from).count();
  std::printf("{\"requests\": %lu, \"all_requests\": %lu, \"errors\": %lu, \"rate\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f, \"events\": %lu, \"finished\": %lu, \"gap_p50_ms\": %.2f, \"gap_p99_ms\": %.2f}\n",
              result.requests, all_requests, result.errors, static_cast<double>(result.requests) / seconds, percentile(result.latencies_us, 0.5), percentile(result.latencies_us, 0.99),
              result.events, result.finished, percentile(result.gaps_ms, 0.5), percentile(result.gaps_ms, 0.99));
  return result.errors == 0 ? 0 : 1;
}
