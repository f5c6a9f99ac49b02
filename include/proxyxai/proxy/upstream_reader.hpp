#pragma once

#include <string>
#include <utility>
#include <vector>

#include "proxyxai/base/timer.hpp"
#include "proxyxai/http/request_body.hpp"
#include "proxyxai/keys/pool.hpp"
#include "proxyxai/upstream/origin.hpp"

namespace proxyxai {

class Exchange;

/// Reads what upstream keeps, on our own behalf, with the key that holds it: counted among what the key serves, within its limits,
/// and what it comes to is told to the pool. Loop thread only.
class UpstreamReader {
 public:
  struct Parts {
    Executor executor;
    Origins& origins;
    BodyStore& bodies;
    KeyPool& pool;
    Clock& clock;
  };
  /// `max_wait`: how long it waits for a key that cools or is at its limit.
  UpstreamReader(Parts parts, milliseconds max_wait) : parts_(std::move(parts)), max_wait_(max_wait) {}

  struct Answer {
    unsigned status = 0;       ///< 0: none came.
    std::string body;
    bool is_too_long = false;  ///< Longer than asked for: what of it was read is gone.
    KeyPool::Absence absence = KeyPool::Absence::none;  ///< Why there is no key to ask; then `status` is 0.
  };
  /// GETs `path`, which begins with `/v1/`. `fields`: header lines, each ended by CR LF. At most `most` bytes of body.
  Task<Answer> get(KeyId key, std::string path, std::string fields, std::size_t most);
  /// Ends what is being read, and everything that will be.
  void stop();

 private:
  Task<KeyPool::Choice> choose(KeyId key, std::string_view endpoint, Instant until);
  static Task<void> read_body(Exchange& exchange, std::size_t most, Answer& answer);

  const Parts parts_;
  const milliseconds max_wait_;
  std::vector<Exchange*> under_way_;
  std::vector<Timer*> waiting_;
  bool is_stopped_ = false;
};

}  // namespace proxyxai
