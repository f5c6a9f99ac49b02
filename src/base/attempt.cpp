#include "proxyxai/base/attempt.hpp"

namespace proxyxai {

const char* to_string(Fault fault) {
  switch (fault) {
    case Fault::none: return "none";
    case Fault::caller: return "caller";
    case Fault::unknown_model: return "unknown_model";
    case Fault::upstream: return "upstream";
    case Fault::overloaded: return "overloaded";
    case Fault::stale_connection: return "stale_connection";
    case Fault::rate_limited: return "rate_limited";
    case Fault::exhausted: return "exhausted";
    case Fault::no_access: return "no_access";
    case Fault::dead: return "dead";
    case Fault::suspended: return "suspended";
    case Fault::egress: return "egress";
    case Fault::client_gone: return "client_gone";
    case Fault::ours: return "ours";
  }
  return "unknown";
}

bool is_about_key(Fault fault) {
  switch (fault) {
    case Fault::rate_limited:
    case Fault::exhausted:
    case Fault::no_access:
    case Fault::dead:
    case Fault::suspended:
    case Fault::egress: return true;
    default: return false;
  }
}

}  // namespace proxyxai
