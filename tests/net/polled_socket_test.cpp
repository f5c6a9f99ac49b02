#include "proxyxai/net/polled_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "support/run_task.hpp"

namespace proxyxai {
namespace {

namespace asio = boost::asio;

/// One end is ours, the other a plain descriptor of the test.
struct Pair {
  explicit Pair(asio::io_context& loop) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    socket = std::make_unique<PolledSocket>(loop, ends[0]);
    peer = ends[1];
  }
  ~Pair() { hang_up(); }
  void say(std::string_view text) const { EXPECT_EQ(::send(peer, text.data(), text.size(), 0), static_cast<ssize_t>(text.size())); }
  void hang_up() {
    if (peer >= 0) ::close(peer);
    peer = -1;
  }
  std::unique_ptr<PolledSocket> socket;
  int peer = -1;
};

Task<std::string> read_until_end(PolledSocket& socket, std::size_t piece_size) {
  std::string all, piece(piece_size, '\0');
  for (;;) {
    const ssize_t got = socket.receive(piece.data(), piece.size());
    if (got == 0) co_return all;
    if (got > 0) {
      all.append(piece.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (errno != EAGAIN) co_return "failed";
    const bool ready = co_await socket.readable();
    if (!ready) co_return "cancelled";
  }
}

class PolledSocketOfLoop : public testing::Test {
 protected:
  asio::io_context loop_{1};
};

TEST_F(PolledSocketOfLoop, ReadsWhatComesBeforeWhileAndAfterWaiting) {
  for (const std::size_t piece : {1u, 2u, 5u, 4096u}) {
    Pair pair(loop_);
    pair.say("before ");
    asio::post(loop_, [&] {
      pair.say("while ");
      asio::post(loop_, [&] {
        pair.say("after");
        pair.hang_up();
      });
    });
    EXPECT_EQ(run_task(loop_, read_until_end(*pair.socket, piece)), "before while after") << piece;
  }
}

TEST_F(PolledSocketOfLoop, TheEndThatComesTogetherWithTheLastBytesIsSeen) {
  Pair pair(loop_);
  pair.say("bye");
  pair.hang_up();
  EXPECT_EQ(run_task(loop_, read_until_end(*pair.socket, 4096)), "bye");
}

TEST_F(PolledSocketOfLoop, AShortReadLeavesNothingToTry) {
  Pair pair(loop_);
  pair.say("abc");
  run_task(loop_, [](PolledSocket& socket) -> Task<void> {
    const bool ready = co_await socket.readable();
    EXPECT_TRUE(ready);
  }(*pair.socket));
  std::array<char, 16> into{};
  EXPECT_TRUE(pair.socket->may_receive());
  EXPECT_EQ(pair.socket->receive(into.data(), into.size()), 3);
  EXPECT_FALSE(pair.socket->may_receive());
  EXPECT_EQ(pair.socket->receive(into.data(), into.size()), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(PolledSocketOfLoop, AWriterIsWokenWhenThePeerHasRead) {
  Pair pair(loop_);
  const std::string much(64 << 10, 'x');
  const iovec piece{const_cast<char*>(much.data()), much.size()};
  while (pair.socket->send(&piece, 1) > 0) {
  }
  ASSERT_EQ(errno, EAGAIN);
  asio::post(loop_, [&] {
    std::string sink(1 << 20, '\0');
    while (::recv(pair.peer, sink.data(), sink.size(), 0) > 0) {
    }
  });
  EXPECT_TRUE(run_task(loop_, pair.socket->writable()));
  EXPECT_GT(pair.socket->send(&piece, 1), 0);
}

TEST_F(PolledSocketOfLoop, CancelAndCloseEndAWaitFromTheLoopAndNotFromTheCall) {
  for (const bool closes : {false, true}) {
    Pair pair(loop_);
    bool inside = false;
    // Twice behind: the wait has begun by then.
    asio::post(loop_, [&] {
      asio::post(loop_, [&] {
        inside = true;
        if (closes) pair.socket->close();
        else pair.socket->cancel();
        inside = false;
      });
    });
    run_task(loop_, [](PolledSocket& socket, bool& within) -> Task<void> {
      const bool ready = co_await socket.readable();
      EXPECT_FALSE(ready);
      EXPECT_FALSE(within);
    }(*pair.socket, inside));
    EXPECT_EQ(pair.socket->is_open(), !closes);
    // Waiting on a closed socket ends at once; on an open one, with the next bytes.
    if (!closes) pair.say("x");
    EXPECT_EQ(run_task(loop_, pair.socket->readable()), !closes);
  }
}

TEST_F(PolledSocketOfLoop, AnEventOfAClosedSocketIsNotTakenForItsSuccessor) {
  // Both become readable in one batch; whichever is served first closes the other and opens a new socket in its place.
  Pair first(loop_), second(loop_);
  std::unique_ptr<Pair> successor;
  int served = 0;
  bool woken = false;
  const auto serve = [&](PolledSocket& own, std::unique_ptr<PolledSocket>& other) -> Task<void> {
    const bool ready = co_await own.readable();
    if (!ready) co_return;
    ++served;
    other->close();
    successor = std::make_unique<Pair>(loop_);
    asio::co_spawn(loop_, successor->socket->readable(), [&](std::exception_ptr, bool awake) { woken = awake; });
  };
  asio::co_spawn(loop_, serve(*first.socket, second.socket), asio::detached);
  asio::co_spawn(loop_, serve(*second.socket, first.socket), asio::detached);
  while (loop_.poll_one() > 0) {
  }
  first.say("1");
  second.say("2");
  while (loop_.poll_one() > 0) {
  }
  EXPECT_EQ(served, 1);
  ASSERT_TRUE(successor);
  EXPECT_FALSE(woken);
  successor->say("3");
  loop_.run();
  EXPECT_TRUE(woken);
}

TEST_F(PolledSocketOfLoop, WaitsThatNeverEndAreFreedWithTheLoop) {
  auto loop = std::make_unique<asio::io_context>(1);
  auto pair = std::make_shared<Pair>(*loop);
  asio::co_spawn(*loop, [](std::shared_ptr<Pair> own) -> Task<void> {
    co_await own->socket->readable();
  }(pair), asio::detached);
  const std::weak_ptr<Pair> watched = pair;
  pair.reset();
  loop->poll();
  EXPECT_FALSE(watched.expired());
  loop.reset();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace proxyxai
