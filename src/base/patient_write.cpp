#include "patient_write.hpp"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace proxyxai {

bool write_patiently(int descriptor, std::string_view& bytes, int patience_ms) {
  struct stat status {};
  // On a pipe or terminal, readiness promises room for PIPE_BUF bytes and no more: a larger write could stand still for ever.
  const bool is_file = ::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  const std::size_t most = is_file ? bytes.size() : PIPE_BUF;
  while (!bytes.empty()) {
    pollfd ready{descriptor, POLLOUT, 0};
    const int found = ::poll(&ready, 1, patience_ms);
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0) return false;
    const ssize_t put = ::write(descriptor, bytes.data(), std::min(bytes.size(), most));
    if (put < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (put <= 0) return true;  // the log's reader is gone, or the disk is full: nothing can be done here
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

}  // namespace proxyxai
