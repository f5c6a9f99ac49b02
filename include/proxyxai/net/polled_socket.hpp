#pragma once

#include <sys/uio.h>

#include <memory>
#include <optional>
#include <vector>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "proxyxai/base/task.hpp"

namespace proxyxai {

class Poller;

/// A connected, non-blocking TCP socket that knows whether trying to read it is worth a system call. Loop thread only;
/// its address is stable.
class PolledSocket {
 public:
  /// Takes over a descriptor that is connected, or has begun to connect.
  PolledSocket(boost::asio::io_context& loop, int descriptor);
  ~PolledSocket();
  PolledSocket(const PolledSocket&) = delete;
  PolledSocket& operator=(const PolledSocket&) = delete;

  /// Begins to connect; once `writable`, `connect_error` tells how it went. Null with `error` when it cannot begin.
  static std::unique_ptr<PolledSocket> connect(boost::asio::io_context& loop, const boost::asio::ip::tcp::endpoint& to,
                                               boost::system::error_code& error);
  [[nodiscard]] boost::system::error_code connect_error() const;

  /// As recv(2) and sendmsg(2): -1 with errno EAGAIN when nothing can be done now.
  ssize_t receive(void* into, std::size_t size);
  ssize_t send(const iovec* pieces, std::size_t count);

  /// False: `receive` would find nothing, and costs no system call.
  [[nodiscard]] bool may_receive() const { return readable_ || ended_; }

  /// Wait until `receive` or `send` may get on. False: cancelled or closed. One wait in each direction at a time.
  Task<bool> readable();
  Task<bool> writable();
  /// Ends the waits; their coroutines go on from the loop, not from here.
  void cancel();
  void close();

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] Executor executor() const;

 private:
  friend class Poller;
  using Handler = boost::asio::async_result<boost::asio::use_awaitable_t<Executor>, void(bool)>::handler_type;
  using Waiter = std::optional<Handler>;
  Task<bool> wait(Waiter& waiter, bool ready);
  void resume(Waiter& waiter);
  void resume_later(Waiter& waiter, bool outcome);

  Poller& poller_;
  int descriptor_;
  std::uint32_t slot_;
  bool readable_ = false;
  bool writable_ = false;
  bool ended_ = false;  // the peer has ended its half, or the connection failed: from here on there is always "something"
  Waiter reader_, writer_;
};

/// Readiness of all sockets of a loop: one edge-triggered epoll set inside Asio's.
///
/// Asio makes one epoll_ctl and one operation object for each wait; here a socket is registered once, and a wait is a
/// store. One turn of Asio's loop hands out all that is ready. Found from the loop (`use_service`); loop thread only.
class Poller final : public boost::asio::execution_context::service {
 public:
  using key_type = Poller;
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-non-const-global-variables): as Asio wants the name of a service
  static inline boost::asio::execution_context::id id;

  explicit Poller(boost::asio::execution_context& context);
  ~Poller() override;
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

 private:
  friend class PolledSocket;
  void shutdown() override;
  std::uint32_t add(PolledSocket& socket);
  void remove(std::uint32_t slot);
  void begin_wait();
  void end_wait();
  void listen();
  void dispatch();

  boost::asio::io_context& loop_;
  boost::asio::posix::basic_stream_descriptor<Executor> set_;
  [[nodiscard]] PolledSocket* find(std::uint64_t name) const;

  // Events name a slot and its generation: the socket of an event may be closed, and its slot be another's, while earlier
  // events of the same batch are handed out.
  struct Slot {
    PolledSocket* socket = nullptr;
    std::uint32_t generation = 0;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t waits_ = 0;  // while there are any, the loop has work
  bool listening_ = false, dispatching_ = false, stopped_ = false;
};

}  // namespace proxyxai
