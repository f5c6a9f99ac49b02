#include <gtest/gtest.h>

#include <thread>

#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include "proxyxai/upstream/origin.hpp"
#include "support/run_task.hpp"
#include "support/temp_directory.hpp"

namespace proxyxai {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

/// An upstream on a free port that serves one connection after the other: each request gets the next of the answers as
/// it stands; an empty one closes the connection instead.
class Server {
 public:
  explicit Server(std::vector<std::string> answers)
      : acceptor_(context_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), answers_(std::move(answers)), thread_([this] { serve(); }) {}
  ~Server() { thread_.join(); }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()); }

 private:
  void serve() {
    std::size_t next = 0;
    while (next < answers_.size()) {
      tcp::socket socket = acceptor_.accept();
      std::string request;
      boost::system::error_code error;
      while (next < answers_.size()) {
        const std::size_t size = asio::read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n", error);
        if (error) break;
        request.erase(0, size);
        const std::string& answer = answers_[next++];
        asio::write(socket, asio::buffer(answer), error);
        const bool ends = answer.empty() || answer.find("Connection: close") != answer.npos || answer.find("cut") != answer.npos;
        if (ends) break;
      }
    }
  }
  asio::io_context context_;
  tcp::acceptor acceptor_;
  const std::vector<std::string> answers_;
  std::thread thread_;
};

struct Seen {
  std::string failure, body, body_failure;
  unsigned status = 0;
  bool reused = false, reusable = false;
};

class Upstream : public testing::Test {
 protected:
  void SetUp() override { watchdog_.start(); }

  Task<Seen> exchange(std::string url) {
    Seen seen;
    Origin* const origin = origins_.at(url);
    auto connection = origin->take_kept();
    if (!connection) {
      Connecting connecting;
      Origin::Connected connected = co_await origin->connect(connecting);
      seen.failure = connected.reason;
      connection = std::move(connected.connection);
    }
    if (connection) {
      RequestBody body(bodies_);
      const std::string_view head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
      seen.failure = {};
      if (!connection->send_now(head, body)) seen.failure = co_await connection->send_rest(head, body, milliseconds(2'000));
      if (seen.failure.empty()) seen.failure = co_await connection->read_head(false, milliseconds(2'000));
      seen.reused = connection->is_reused();
      if (seen.failure.empty()) {
        seen.status = connection->answer().status();
        UpstreamConnection::Body piece = connection->buffered_body();
        for (;;) {
          seen.body += piece.data;
          if (piece.done || !piece.failure.empty()) break;
          piece = co_await connection->read_body(milliseconds(2'000));
        }
        seen.body_failure = piece.failure;
        seen.reusable = connection->is_reusable();
        if (seen.reusable) origin->keep(std::move(connection));
      }
    }
    co_return seen;
  }

  /// Runs one exchange while the watchdog keeps the loop busy.
  Seen ask(const std::string& url) {
    std::optional<Seen> seen;
    asio::co_spawn(loop_.get_executor(), exchange(url), [&](std::exception_ptr, Seen result) { seen = std::move(result); });
    while (!seen) loop_.run_one_for(milliseconds(200));
    return *seen;
  }

  TempDirectory directory_;
  asio::io_context loop_{1};
  Watchdog watchdog_{loop_.get_executor()};
  ClientTls tls_{""};
  BodyStore bodies_{1 << 20, directory_.path()};
  Origins origins_{loop_, watchdog_, tls_, UpstreamSettings{}};
};

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

TEST_F(Upstream, AConnectionIsKeptForTheNextRequest) {
  Server server({ok, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"});
  const Seen first = ask(server.url()), second = ask(server.url());
  EXPECT_EQ(first.body, "hello");
  EXPECT_FALSE(first.reused);
  EXPECT_TRUE(first.reusable);
  EXPECT_EQ(second.body, "abcde");
  EXPECT_TRUE(second.reused);
}

struct Case {
  const char* answer;
  const char* failure;
  const char* body;
  const char* body_failure;
};

class Answers : public Upstream, public testing::WithParamInterface<Case> {};

TEST_P(Answers, AreReadForWhatTheyAre) {
  Server server({GetParam().answer});
  const Seen seen = ask(server.url());
  EXPECT_EQ(seen.failure, GetParam().failure);
  EXPECT_EQ(seen.body, GetParam().body);
  EXPECT_EQ(seen.body_failure, GetParam().body_failure);
  if (seen.failure != "" || seen.body_failure != "") EXPECT_FALSE(seen.reusable);
}

INSTANTIATE_TEST_SUITE_P(
    Wire, Answers,
    testing::Values(Case{"", "closed", "", ""}, Case{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", "", "cut", "truncated"},
                    Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ncut\r\n", "", "cut", "truncated"},
                    Case{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n", "", "", "bad_response"},
                    Case{"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", "", "to the end", ""},
                    Case{"nonsense\r\nConnection: close\r\n\r\n", "bad_response", "", ""},
                    Case{"HTTP/1.1 200 cut", "truncated", "", ""},
                    Case{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", "", "", ""},
                    Case{"HTTP/1.1 200 OK\r\nA: b\r\n folded: x\r\nConnection: close\r\n\r\n", "bad_response", "", ""},
                    Case{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello", "bad_response", "", ""}));

TEST_F(Upstream, NobodyListeningIsAFailureOfTheConnection) {
  tcp::acceptor unused(loop_, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const std::string url = "http://127.0.0.1:" + std::to_string(unused.local_endpoint().port());
  unused.close();
  EXPECT_EQ(ask(url).failure, "connect_failed");
}

}  // namespace
}  // namespace proxyxai
