#pragma once

#include <stdexcept>
#include <string>

namespace proxyxai {

/// A failure of ours that no caller can mend by waiting: a bad file, a broken database, a system call. The message names
/// what was attempted, on what, why it failed, and what to do.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace proxyxai
