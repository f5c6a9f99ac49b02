#include "proxyxai/net/polled_socket.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>

namespace proxyxai {
namespace asio = boost::asio;

PolledSocket::PolledSocket(asio::io_context& loop, int descriptor)
    : poller_(asio::use_service<Poller>(loop)), descriptor_(descriptor), slot_(poller_.add(*this)) {}

PolledSocket::~PolledSocket() { close(); }

std::unique_ptr<PolledSocket> PolledSocket::connect(asio::io_context& loop, const asio::ip::tcp::endpoint& to,
                                                    boost::system::error_code& error) {
  error.clear();
  const int descriptor = ::socket(to.protocol().family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor >= 0) {
    const int yes = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    const int begun = ::connect(descriptor, to.data(), static_cast<socklen_t>(to.size()));
    if (begun == 0 || errno == EINPROGRESS) return std::make_unique<PolledSocket>(loop, descriptor);
  }
  error.assign(errno, boost::system::system_category());
  if (descriptor >= 0) ::close(descriptor);
  return nullptr;
}

boost::system::error_code PolledSocket::connect_error() const {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return {error, boost::system::system_category()};
}

Executor PolledSocket::executor() const { return poller_.loop_.get_executor(); }

ssize_t PolledSocket::receive(void* into, std::size_t size) {
  if (!may_receive()) {
    errno = EAGAIN;
    return -1;
  }
  const ssize_t got = ::recv(descriptor_, into, size, 0);
  if (got < 0) {
    if (errno == EAGAIN) readable_ = ended_ = false;
  } else if (static_cast<std::size_t>(got) < size) {
    // The socket is empty: what comes from now on is told. The end that came together with these bytes was told already.
    readable_ = false;
  }
  return got;
}

ssize_t PolledSocket::send(const iovec* pieces, std::size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces);
  message.msg_iovlen = count;
  const ssize_t sent = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) writable_ = false;
  return sent;
}

Task<bool> PolledSocket::wait(Waiter& waiter, bool ready) {
  return asio::async_initiate<const asio::use_awaitable_t<Executor>, void(bool)>(
      [this, &waiter, ready](Handler handler) {
        waiter.emplace(std::move(handler));
        poller_.begin_wait();
        // Nothing more will tell of what is so already.
        if (ready || !is_open()) resume_later(waiter, is_open());
      },
      use_task);
}

Task<bool> PolledSocket::readable() { return wait(reader_, may_receive()); }

Task<bool> PolledSocket::writable() { return wait(writer_, writable_); }

void PolledSocket::resume(Waiter& waiter) {
  Handler handler = std::move(*waiter);
  waiter.reset();
  poller_.end_wait();
  handler(true);
}

void PolledSocket::resume_later(Waiter& waiter, bool outcome) {
  if (!waiter) return;
  if (!poller_.stopped_) {
    asio::post(poller_.loop_, [handler = std::move(*waiter), outcome]() mutable { handler(outcome); });
  }
  waiter.reset();
  poller_.end_wait();
}

void PolledSocket::cancel() {
  resume_later(reader_, false);
  resume_later(writer_, false);
}

void PolledSocket::close() {
  if (!is_open()) return;
  poller_.remove(slot_);
  ::close(std::exchange(descriptor_, -1));
  cancel();
}

Poller::Poller(asio::execution_context& context)
    : service(context),
      // NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast): Asio makes a service for the context it is asked for, an io_context
      loop_(static_cast<asio::io_context&>(context)),
      set_(loop_.get_executor(), ::epoll_create1(EPOLL_CLOEXEC)) {}

Poller::~Poller() = default;

void Poller::shutdown() {
  stopped_ = true;
  // A waiter owns its coroutine, which may own sockets of the set: they are all taken first.
  std::vector<PolledSocket::Waiter> waiters;
  for (const Slot& each : slots_) {
    if (each.socket == nullptr) continue;
    waiters.push_back(std::exchange(each.socket->reader_, std::nullopt));
    waiters.push_back(std::exchange(each.socket->writer_, std::nullopt));
  }
  waiters.clear();
  boost::system::error_code ignored;
  set_.close(ignored);
}

std::uint32_t Poller::add(PolledSocket& socket) {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot].socket = &socket;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = std::uint64_t{slots_[slot].generation} << 32 | slot;
  // Fails only without memory; the socket's deadlines then end it.
  ::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, socket.descriptor(), &event);
  return slot;
}

void Poller::remove(std::uint32_t slot) {
  // The kernel takes the descriptor out of the set when it is closed.
  slots_[slot].socket = nullptr;
  ++slots_[slot].generation;
  free_.push_back(slot);
}

PolledSocket* Poller::find(std::uint64_t name) const {
  const Slot& slot = slots_[static_cast<std::uint32_t>(name)];
  return slot.generation == name >> 32 ? slot.socket : nullptr;
}

void Poller::begin_wait() {
  ++waits_;
  if (!listening_ && !dispatching_) listen();
}

void Poller::end_wait() {
  if (--waits_ > 0 || !listening_) return;
  boost::system::error_code ignored;
  set_.cancel(ignored);
}

void Poller::listen() {
  listening_ = true;
  set_.async_wait(set_.wait_read, [this](boost::system::error_code error) {
    listening_ = false;
    if (!error) dispatch();
    if (waits_ > 0) listen();
  });
}

void Poller::dispatch() {
  // What does not fit is handed out in the next turn: Asio's own operations have theirs in between.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init): only what was written to it is read
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(set_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
  dispatching_ = true;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t name = events[i].data.u64;
    const std::uint32_t what = events[i].events;
    PolledSocket* socket = find(name);
    if (socket == nullptr) continue;
    const bool ended = (what & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    socket->readable_ = socket->readable_ || (what & EPOLLIN) != 0;
    socket->ended_ = socket->ended_ || ended;
    socket->writable_ = socket->writable_ || (what & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    if (socket->reader_ && socket->may_receive()) socket->resume(socket->reader_);
    socket = find(name);  // the reader may have closed it
    if (socket != nullptr && socket->writer_ && socket->writable_) socket->resume(socket->writer_);
  }
  dispatching_ = false;
}

}  // namespace proxyxai
