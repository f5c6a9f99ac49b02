#pragma once

#include "proxyxai/http/request_body.hpp"
#include "proxyxai/keys/prober.hpp"
#include "proxyxai/upstream/origin.hpp"

namespace proxyxai {

/// Probes keys with real requests, judged like any other. Loop thread only.
class UpstreamProber final : public Prober {
 public:
  UpstreamProber(Origins& origins, BodyStore& bodies) : origins_(origins), bodies_(bodies) {}
  Task<Attempt> probe(UpstreamKeyPtr key, bool spend) override;

 private:
  Task<Attempt> ask(const UpstreamKey& key, std::string_view method, std::string_view path, std::string_view body);

  Origins& origins_;
  BodyStore& bodies_;
};

}  // namespace proxyxai
