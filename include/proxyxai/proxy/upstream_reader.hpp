#pragma once

#include <string>
#include <vector>

#include "proxyxai/http/request_body.hpp"
#include "proxyxai/keys/pool.hpp"
#include "proxyxai/upstream/origin.hpp"

namespace proxyxai {

class Exchange;

/// Reads what upstream keeps, on our own behalf and with one key. Loop thread only.
class UpstreamReader {
 public:
  UpstreamReader(Origins& origins, BodyStore& bodies) : origins_(origins), bodies_(bodies) {}

  struct Answer {
    unsigned status = 0;  ///< 0: none came.
    std::string body;
    bool is_too_long = false;  ///< Longer than asked for: what of it was read is gone.
  };
  /// GETs `path`, which begins with `/v1/`. `fields`: header lines, each ended by CR LF. At most `most` bytes of body.
  Task<Answer> get(UpstreamKeyPtr key, std::string path, std::string fields, std::size_t most) const;
  /// Ends what is being read, and everything that will be.
  void stop();

 private:
  mutable std::vector<Exchange*> under_way_;
  bool is_stopped_ = false;
  Origins& origins_;
  BodyStore& bodies_;
};

}  // namespace proxyxai
