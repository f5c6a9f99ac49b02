#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "proxyxai/objects/directory.hpp"
#include "proxyxai/proxy/billing.hpp"
#include "proxyxai/proxy/upstream_reader.hpp"

namespace proxyxai {

/// Work that upstream goes on with after its request has been answered: batches, responses in the background, runs that are not
/// streamed. Each is asked after until upstream tells what it has used, and is charged then, once, also after a restart. Until
/// then its account's credit is reserved. Loop thread only.
class PendingBills {
 public:
  struct Parts {
    Executor executor;
    ObjectStore& store;
    ObjectDirectory& objects;
    AccountDirectory& accounts;
    Billing& billing;
    UpstreamReader& reader;
    Clock& clock;
  };
  /// `interval`: between the first questions (PENDING_INTERVAL); it grows as the work goes on.
  PendingBills(Parts parts, milliseconds interval);
  ~PendingBills();
  PendingBills(const PendingBills&) = delete;
  PendingBills& operator=(const PendingBills&) = delete;

  /// Takes up what an earlier process has left. Once, before serving.
  Task<void> load();

  /// The work `id` was begun by `request`, whose answer has come: its cost is left to this. True once it is stored; false: it could
  /// not be, and the request is charged by what is known.
  Task<bool> take_on(RequestContext& request, std::string id);
  /// Whether work with this `status` goes on no more.
  static bool is_over(std::string_view status);
  /// Upstream has told what the work has used. True once it is charged, be it by another.
  Task<bool> charge(std::string id, Usage usage, std::string model);
  /// Whether work is to be charged that is the object `id`, or a run of it. Before it says so, upstream is asked.
  Task<bool> goes_on(std::string id);
  /// So many output tokens of the work have gone to its client by now: what it costs at least.
  void set_delivered(std::string_view id, std::int64_t tokens);
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  /// Asks after what is due. To be called several times a second; returns at once.
  void tick(Instant now);

 private:
  struct Entry;
  [[nodiscard]] std::shared_ptr<Entry> find_of(const std::string& id) const;
  Task<void> ask(std::shared_ptr<Entry> entry);
  Task<void> give_up(std::shared_ptr<Entry> entry, std::string_view why, Money least);
  Task<bool> settle(std::shared_ptr<Entry> entry, Usage usage, std::string model, Money least);
  void add(PendingBill bill, AccountPtr account);

  const Parts parts_;
  const milliseconds interval_;
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries_;
  std::size_t asking_ = 0;
};

}  // namespace proxyxai
