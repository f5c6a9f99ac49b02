#pragma once

#include <string>

#include "proxyxai/base/access_log.hpp"
#include "proxyxai/base/metrics.hpp"
#include "proxyxai/keys/service.hpp"
#include "proxyxai/net/listener.hpp"
#include "proxyxai/notify/mailer.hpp"
#include "proxyxai/proxy/gateway.hpp"
#include "proxyxai/storage/sqlite_store.hpp"

namespace proxyxai {

/// How the daemon does, asked of its parts when somebody wants to know: for `/metrics` and as the answer of `/x-stats`. Loop
/// thread only.
class Status {
 public:
  struct Parts {
    Clock& clock;
    const Observer& observer;
    const AccessLog& access_log;
    const SqliteStore& store;
    const AccountDirectory& accounts;
    const Ledger& ledger;
    const Origins& origins;
    const BodyStore& bodies;
    const KeyPool& pool;
    const KeyService& keys;
    const PendingBills& pending;
    const Mailer& mailer;
    const Gateway& gateway;
    const Listener& listener;
  };
  explicit Status(Parts parts) : parts_(parts), started_at_(parts_.clock.wall_now()) {}

  /// Sets what is cheaper to read at a scrape than to keep.
  void refresh(Metrics& metrics) const;
  /// JSON, on one line.
  [[nodiscard]] std::string stats() const;

 private:
  const Parts parts_;
  const WallTime started_at_;
};

}  // namespace proxyxai
