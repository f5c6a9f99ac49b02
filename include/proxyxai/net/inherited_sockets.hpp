#pragma once

#include <vector>

namespace proxyxai {

/// Listening sockets that whoever started this process made for it: systemd's socket activation, as sd_listen_fds(3) has it. They
/// stay open between one process and the next, so that connections wait in between instead of being refused.
struct InheritedSockets {
  std::vector<int> clients, operations;  ///< Descriptors; whoever takes them closes them.
};

/// What LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES tell, sockets named `operations` apart from all others; takes these variables out
/// of the environment. Throws Failure when one is no listening TCP socket. Once, before there is a second thread.
InheritedSockets take_inherited_sockets();

}  // namespace proxyxai
