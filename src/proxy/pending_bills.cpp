#include "proxyxai/proxy/pending_bills.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

#include "proxyxai/base/log.hpp"
#include "proxyxai/base/wait_until.hpp"
#include "proxyxai/metering/object_scan.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t most_asking = 16, most_answer = 16 << 20;
constexpr milliseconds longest_interval{60'000}, longest_batch_interval{600'000};
constexpr std::chrono::hours longest_work{24}, longest_batch{72};  // before it is given up; a batch has 24 hours upstream
constexpr int most_missing = 3;
constexpr std::string_view beta_fields = "OpenAI-Beta: assistants=v2\r\n";

/// Where upstream tells how the work of a request stands.
std::string path_of(const RequestContext& request, const std::string& id) {
  if (request.endpoint == "batches") return "/v1/batches/" + id;
  if (request.endpoint == "responses") return "/v1/responses/" + id;
  // `/v1/threads/{thread}/runs[/{run}/submit_tool_outputs]`; of `/v1/threads/runs` the answer tells the thread.
  std::string_view path = request.path;
  if (path.starts_with("/v1")) path.remove_prefix(3);
  const auto runs = path.find("/runs");
  std::string thread(path.substr(0, runs));
  if (thread == "/threads") thread += "/" + request.thread_id;
  return "/v1" + thread + "/runs/" + id;
}

/// What the work has used by all that is known here.
Usage known_of(const PendingBill& bill) {
  Usage usage;
  usage.input = bill.input;
  usage.output = bill.output;
  usage.estimated = true;
  usage.tier = bill.tier;
  return usage;
}

/// What one answer about the work tells.
struct Told {
  std::string status, model;
  Usage usage;
  std::int64_t delivered = 0;  // tokens of its text, estimated
  std::vector<ObjectName> objects;
};

Told read(const PendingBill& bill, std::string_view body) {
  Told told;
  ObjectScan scan(ObjectScan::Format::json);
  scan.feed(body);
  told.status = scan.status();
  told.objects = scan.take();
  // A batch tells its usage as a response does.
  AnswerMeter meter({bill.endpoint == "threads" ? "threads" : "responses", "application/json", false});
  meter.pass(body);
  meter.finish();
  told.usage = meter.usage();
  told.delivered = meter.delivered_tokens();
  told.model = meter.model();
  return told;
}

}  // namespace

struct PendingBills::Entry {
  PendingBill bill;
  Reservation reservation;
  Instant next{};
  milliseconds interval{0};
  bool is_asking = false, is_settling = false;
  int missing = 0;  // answers in a row that upstream knows nothing of it
};

bool PendingBills::is_over(std::string_view status) {
  static constexpr std::array<std::string_view, 6> last{"completed", "failed", "cancelled", "canceled", "incomplete", "expired"};
  return std::find(last.begin(), last.end(), status) != last.end();
}

PendingBills::PendingBills(Parts parts, milliseconds interval) : parts_(std::move(parts)), interval_(interval) {}
PendingBills::~PendingBills() = default;

Task<void> PendingBills::load() {
  std::vector<PendingBill> bills = co_await parts_.store.load_pending();
  for (PendingBill& each : bills) {
    AccountPtr account = co_await parts_.accounts.find(AccountId{each.account_id});
    if (account) add(std::move(each), std::move(account));
    else spdlog::error("the account {} of {} is gone: nobody is charged for it", each.account_id, each.id);
  }
  if (!entries_.empty()) spdlog::info("{} batches, background responses and runs are still to be charged", entries_.size());
}

void PendingBills::add(PendingBill bill, AccountPtr account) {
  const Money reserved = account->row.is_root ? Money{} : bill.reserved;
  std::string id = bill.id;
  auto entry = std::make_shared<Entry>(Entry{std::move(bill), Reservation(std::move(account), reserved), parts_.clock.now() + interval_, interval_, false, false, 0});
  entries_.insert_or_assign(std::move(id), std::move(entry));
}

Task<bool> PendingBills::take_on(RequestContext& request, std::string id) {
  PendingBill bill;
  bill.id = std::move(id);
  bill.account_id = request.account->row.id;
  bill.key = request.exchange.attempt().key;
  bill.path = path_of(request, bill.id);
  bill.endpoint = request.endpoint;
  bill.model = request.facts.model;
  if (request.endpoint == "batches") bill.tier = "batch";
  bill.reserved = request.hold.money();
  const Usage known = parts_.billing.known_usage(request);
  bill.input = known.input;
  bill.output = known.output;
  bill.made = parts_.clock.wall_now();
  PendingBill stored = bill;
  try {
    co_await parts_.store.put_pending(std::move(stored));
  } catch (const StorageError& error) {
    spdlog::error("{} cannot be charged when it ends, for that could not be stored: {}", bill.id, error.what());
    co_return false;
  }
  add(std::move(bill), request.account);
  // The reservation has taken its place.
  request.hold.shrink_to(Money{});
  co_return true;
}

void PendingBills::set_delivered(std::string_view id, std::int64_t tokens) {
  const auto found = entries_.find(id);
  if (found != entries_.end()) found->second->bill.output = std::max(found->second->bill.output, tokens);
}

/// Null: there is none.
std::shared_ptr<PendingBills::Entry> PendingBills::find_of(const std::string& id) const {
  if (const auto found = entries_.find(id); found != entries_.end()) return found->second;
  const std::string path = "/v1/threads/" + id + "/";
  const auto is_run = [&path](const auto& each) { return each.second->bill.path.starts_with(path); };
  const auto run = std::find_if(entries_.begin(), entries_.end(), is_run);
  return run == entries_.end() ? nullptr : run->second;
}

Task<bool> PendingBills::goes_on(std::string id) {
  // Each is asked after once: what has ended is charged, and is no more.
  for (std::shared_ptr<Entry> before;;) {
    const std::shared_ptr<Entry> entry = find_of(id);
    if (!entry) co_return false;
    if (entry == before) co_return true;
    before = entry;
    if (entry->is_asking) {
      // What upstream was asked a moment ago may end it; if not, it may have ended since.
      std::function<bool()> has_answer = [entry] { return !entry->is_asking; };
      const bool is_told = co_await wait_until(std::move(has_answer));
      if (!is_told) co_return true;
      if (find_of(id) != entry) continue;
    }
    entry->is_asking = true;
    try {
      co_await ask(entry);
    } catch (...) {
      log_failure("asking after " + entry->bill.id, std::current_exception());
    }
    entry->is_asking = false;
  }
}

void PendingBills::tick(Instant now) {
  // What is asked after may end, and leave the map, while others are looked at.
  std::vector<std::shared_ptr<Entry>> due;
  for (const auto& [id, entry] : entries_) {
    if (!entry->is_asking && now >= entry->next) due.push_back(entry);
  }
  std::sort(due.begin(), due.end(), [](const auto& one, const auto& other) { return one->next < other->next; });
  due.resize(std::min(due.size(), most_asking - asking_));
  for (const std::shared_ptr<Entry>& entry : due) {
    entry->is_asking = true;
    ++asking_;
    boost::asio::co_spawn(parts_.executor, ask(entry), [this, entry](std::exception_ptr failure) {
      entry->is_asking = false;
      --asking_;
      const milliseconds most = entry->bill.endpoint == "batches" ? longest_batch_interval : longest_interval;
      entry->interval = std::min(entry->interval * 3 / 2, most);
      entry->next = parts_.clock.now() + entry->interval;
      log_failure("asking after " + entry->bill.id, failure);
    });
  }
}

Task<void> PendingBills::ask(std::shared_ptr<Entry> entry) {
  const PendingBill& bill = entry->bill;
  const auto age = parts_.clock.wall_now() - bill.made;
  if (age > (bill.endpoint == "batches" ? longest_batch : longest_work)) {
    co_await give_up(std::move(entry), "upstream has not told its end in all this time", Money{});
    co_return;
  }
  std::string path = bill.path, fields(beta_fields);
  const UpstreamReader::Answer answer = co_await parts_.reader.get(bill.key, std::move(path), std::move(fields), most_answer);
  if (answer.absence == KeyPool::Absence::gone) {
    co_await give_up(std::move(entry), "its upstream key is gone", Money{});
    co_return;
  }
  const bool is_missing = answer.status == 404 || answer.status == 410;
  entry->missing = is_missing ? entry->missing + 1 : 0;
  // It may be too new for upstream to know it everywhere.
  if (is_missing && entry->missing < most_missing) co_return;
  if (is_missing || answer.is_too_long) {
    // Who deletes it before it is charged pays all that was reserved: nobody can tell any more what it has used.
    const Money reserved = entry->reservation.money();
    co_await give_up(std::move(entry), is_missing ? "upstream knows it no more" : "what upstream tells of it is too long to be read", reserved);
    co_return;
  }
  if (answer.status != 200) co_return;
  Told told = read(bill, answer.body);
  if (!is_over(told.status)) co_return;
  std::vector<ObjectDirectory::Made> made;
  for (ObjectName& each : told.objects) {
    if (!each.is_item) made.push_back({each.id, kind_of(each.id), 0, 0, {}});
  }
  parts_.objects.note(entry->reservation.account()->row.dna, bill.key, std::move(made));
  Usage usage = known_of(bill);
  usage.output = std::max(usage.output, told.delivered);
  if (told.usage.given) {
    usage = told.usage;
    usage.tier = bill.tier.empty() ? usage.tier : bill.tier;
  } else if (told.status == "failed" || told.status == "expired") {
    usage.input = usage.output = 0;
  }
  std::string model = told.model.empty() ? bill.model : told.model;
  co_await settle(std::move(entry), std::move(usage), std::move(model), Money{});
}

/// Charges the work by what is known of it, and at least `least`.
Task<void> PendingBills::give_up(std::shared_ptr<Entry> entry, std::string_view why, Money least) {
  spdlog::warn("{} is charged by what is known of it: {}", entry->bill.id, why);
  Usage usage = known_of(entry->bill);
  std::string model = entry->bill.model;
  co_await settle(std::move(entry), std::move(usage), std::move(model), least);
}

Task<bool> PendingBills::charge(std::string id, Usage usage, std::string model) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) co_return true;
  std::shared_ptr<Entry> entry = found->second;
  if (!entry->bill.tier.empty()) usage.tier = entry->bill.tier;
  if (model.empty()) model = entry->bill.model;
  const bool stored = co_await settle(std::move(entry), std::move(usage), std::move(model), Money{});
  co_return stored;
}

/// Charges the work, once whoever asks. False: that could not be stored.
Task<bool> PendingBills::settle(std::shared_ptr<Entry> entry, Usage usage, std::string model, Money least) {
  const std::string id = entry->bill.id;
  // A run that went on meanwhile has another entry, which is asked after by itself.
  const auto known = entries_.find(id);
  if (known == entries_.end() || known->second != entry || entry->is_settling) co_return true;
  entry->is_settling = true;
  const std::int64_t input = usage.input, output = usage.output;
  bool stored = false;
  try {
    stored = co_await parts_.billing.bill_pending(entry->reservation.account(), entry->bill, std::move(usage), std::move(model), least);
  } catch (const StorageError& error) {
    spdlog::error("{} cannot be charged yet: {}", id, error.what());
  }
  entry->is_settling = false;
  // What could not be stored is asked after again.
  if (!stored) co_return false;
  spdlog::info("{} of account {} has ended and is charged: key={} in={} out={}", id, entry->reservation.account()->row.name, entry->bill.key, input, output);
  const auto ended = entries_.find(id);
  if (ended != entries_.end() && ended->second == entry) entries_.erase(ended);
  co_return true;
}

}  // namespace proxyxai
