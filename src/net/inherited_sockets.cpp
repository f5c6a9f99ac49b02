#include "proxyxai/net/inherited_sockets.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>

#include "proxyxai/base/error.hpp"

namespace proxyxai {
namespace {

constexpr int first_descriptor = 3;
constexpr int most_descriptors = 64;

/// The variable, which is there no longer; empty: it was not.
std::string take_variable(const char* name) {
  // NOLINTBEGIN(concurrency-mt-unsafe): at the start there is one thread
  const char* const value = std::getenv(name);
  std::string taken = value == nullptr ? "" : value;
  ::unsetenv(name);
  // NOLINTEND(concurrency-mt-unsafe)
  return taken;
}

/// -1: no number.
long number_of(const std::string& text) {
  long number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : -1;
}

int option_of(int descriptor, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

void require_listening(int descriptor) {
  const int domain = option_of(descriptor, SO_DOMAIN);
  if ((domain == AF_INET || domain == AF_INET6) && option_of(descriptor, SO_TYPE) == SOCK_STREAM && option_of(descriptor, SO_ACCEPTCONN) == 1) return;
  throw Failure("descriptor " + std::to_string(descriptor) + ", which LISTEN_FDS hands over, is no listening TCP socket; "
                "have the socket unit listen on a port (ListenStream=3443) with Accept=no");
}

}  // namespace

InheritedSockets take_inherited_sockets() {
  const std::string process = take_variable("LISTEN_PID"), count = take_variable("LISTEN_FDS"), names = take_variable("LISTEN_FDNAMES");
  InheritedSockets found;
  // They are for one process: those that it starts inherit the variables too.
  if (number_of(process) != ::getpid()) return found;
  const long sockets = number_of(count);
  if (sockets < 0 || sockets > most_descriptors) throw Failure("LISTEN_FDS is '" + count + "'; it must be a number up to " + std::to_string(most_descriptors));
  std::istringstream each(names);
  for (int i = 0; i < sockets; ++i) {
    std::string name;
    std::getline(each, name, ':');
    const int descriptor = first_descriptor + i;
    require_listening(descriptor);
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    (name == "operations" ? found.operations : found.clients).push_back(descriptor);
  }
  return found;
}

}  // namespace proxyxai
