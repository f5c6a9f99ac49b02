#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/base/money.hpp"
#include "proxyxai/storage/store.hpp"

/// Accounts, their money and what they used, as a database keeps them. Amounts are nano-dollars in the book of the account
/// they belong to.
namespace proxyxai {

using AccountId = std::int64_t;

/// The other side of movements that do not run between two accounts.
namespace counterpart {
inline constexpr AccountId issue = -1;        ///< Credit that root brings into being, or takes out of it.
inline constexpr AccountId usage = -2;        ///< What requests cost.
inline constexpr AccountId fees = -3;
inline constexpr AccountId expired = -4;      ///< Cards that ran out unused.
inline constexpr AccountId revaluation = -5;  ///< Between books of different rates.
}  // namespace counterpart

/// How much an account may use. 0: no limit.
struct RateLimits {
  std::int64_t rpm = 0, rph = 0, rpd = 0;  ///< Requests in a minute, an hour, a day.
  std::int64_t tpm = 0, tph = 0, tpd = 0;  ///< Tokens.
  std::int64_t concurrency = 0;            ///< Requests at one time.
  friend bool operator==(const RateLimits&, const RateLimits&) = default;
};

struct AccountRow {
  AccountId id = 0;                ///< 0 = not stored yet.
  AccountId parent_id = 0;         ///< 0: root, and those that INIT_USERS makes beside it.
  int level = 0;                   ///< Ancestors.
  std::string dna;                 ///< `.1.4.7.`: the ids from the first ancestor to itself.
  std::string name, alias, email, billing_email;
  Digest key_digest{};             ///< SHA-256 of the whole virtual key.
  std::string partial;             ///< Its last 20 characters.
  bool is_root = false;
  bool enabled = true;
  Rate rates = list_rate;
  Money hard_limit, soft_limit;    ///< In a calendar month; 0: none.
  RateLimits limits;
  std::int64_t child_limit = 1000;
  std::string allow_ips, allow_models, resources;  ///< Separated by spaces; empty: all.
  std::string model_limits;        ///< JSON `{"model":{"rpm":1,"tpm":1}}`; empty: none.
  bool drains_aborted = false;     ///< AbortPolicy `drain`; else `cancel`.
  WallTime created_at{}, updated_at{};

  // Money, up to request `rolled_to`.
  Money overdraft;                 ///< Owed beyond all cards; paid by the next one.
  Money credit_granted, credit_used;
  std::int64_t requests = 0;
  std::int32_t month = 0;          ///< `month_used` belongs to it, as 202611.
  Money month_used;
  std::int64_t rolled_to = 0;      ///< The last request that the figures above, the cards and the days know of.

  // Not columns of its own.
  Money cards;                     ///< Sum of its cards.
  std::int64_t children = 0;       ///< Counted as children are inserted and removed.
  [[nodiscard]] Money balance() const { return cards - overdraft; }
};

/// Prepaid credit.
struct CardRow {
  std::int64_t id = 0;  ///< 0 = not stored yet.
  AccountId account_id = 0;
  Money amount, balance;
  WallTime granted_at{}, expires_at{};
  std::string reference;
};

/// A movement of money from one account or counterpart to another: two entries that sum to zero.
struct TransferRow {
  WallTime at{};
  std::string kind;       ///< issue, grant, take_back, fee, rate_change, expiry, refund, debt.
  AccountId from = 0, to = 0;
  Money amount;           ///< > 0.
  std::int64_t operation = 0;  ///< The operation that caused it; 0: none of a caller's.
};

/// What somebody did to an account.
struct OperationRow {
  std::int64_t id = 0;
  WallTime at{};
  AccountId actor_id = 0, target_id = 0;
  std::string action;     ///< add, update, delete, rotate, ...
  std::string details;    ///< JSON; no secret.
};

/// One request: what it used and what it cost. It is itself the movement of `cost` from the account to `counterpart::usage`.
struct UsageRow {
  std::int64_t id = 0;             ///< Microseconds since 1970 at settlement, made unique: order of time and of storage.
  AccountId account_id = 0;
  std::int64_t model = 0, path = 0;  ///< Words (see AccountStore::word); 0: none.
  int status = 0, attempts = 0;
  std::int64_t key_id = 0;
  std::int64_t input = 0, cached = 0, output = 0;  ///< Tokens.
  Money cost, list_cost;           ///< To the account, and at list price.
  std::int64_t duration_ms = 0, first_byte_ms = 0;
  bool stream = false, estimated = false;
  bool settles_pending = false;    ///< Ends the PendingBill whose id is `request_id`, in the same transaction.
  std::string request_id;          ///< As the client knows it; at most 128 bytes.
};

/// Usage of one account, day and model.
struct DayRow {
  AccountId account_id = 0;
  std::int32_t day = 0;            ///< As 20261125, in the time zone of the process.
  std::int64_t model = 0;          ///< A word; 0: none.
  std::string model_name;          ///< Only where it is shown.
  std::int64_t requests = 0, input = 0, cached = 0, output = 0;
  Money cost;
};

/// The requests of one account after `after` and up to `last`: which they are, and their sums by day and model.
struct UsageSum {
  struct Request {
    std::int64_t id = 0, model = 0;
  };
  std::int64_t after = 0, last = 0;
  std::vector<DayRow> days;
  std::vector<Request> requests;   ///< The oldest first.

  /// The next request; `day` is its day.
  void add(const UsageRow& row, std::int32_t day);
};

/// When a request was settled, which its id is made of.
inline WallTime time_of_request(std::int64_t id) { return from_unix_ms(id / 1'000); }

/// One transaction, on the storage thread: all of it is stored, or nothing. Throws StorageError.
class AccountTransaction {
 public:
  virtual ~AccountTransaction() = default;

  virtual std::optional<AccountRow> account(AccountId id) = 0;
  virtual std::optional<AccountRow> account_named(std::string_view name) = 0;
  virtual std::optional<AccountRow> account_mailed(std::string_view email) = 0;
  /// Stores a new account and gives it `id` and the end of its `dna`.
  virtual void insert(AccountRow& row) = 0;
  /// Replaces every column but id, parent and dna.
  virtual void update(const AccountRow& row) = 0;
  /// Forgets key, name and e-mail; what it used stays on record.
  virtual void remove(AccountId id, WallTime now) = 0;
  /// The lowest rate among its children; nullopt: none.
  virtual std::optional<Rate> lowest_child_rate(AccountId id) = 0;

  /// By expiry.
  virtual std::vector<CardRow> cards(AccountId account) = 0;
  /// Makes the stored cards of the account these; gives new ones an id.
  virtual void put_cards(AccountId account, std::vector<CardRow>& cards) = 0;
  /// Accounts that have cards which expired before `now`.
  virtual std::vector<AccountId> with_expired_cards(WallTime now, std::size_t most) = 0;

  /// Cards that expire after `from` and not after `to`; at most `most`.
  virtual std::vector<CardRow> cards_expiring(WallTime from, WallTime to, std::size_t most) = 0;

  virtual void add(const TransferRow& row) = 0;
  /// Gives the row its id.
  virtual void add(OperationRow& row) = 0;
  /// Deletes at most `most` of the first operations, as far as they are older than `before`; returns how many. Movements go on
  /// naming them.
  virtual std::size_t forget_operations(WallTime before, std::size_t most) = 0;
  /// Each once, by its id.
  virtual void add(std::span<const UsageRow* const> rows) = 0;
  void add(const UsageRow& row) {
    const UsageRow* const one = &row;
    add(std::span(&one, 1));
  }

  /// The mark up to which every account has taken in its requests. Those after it are few, and are gone through where the ones of an
  /// account are wanted: no index of requests knows their accounts, for it would cost as much as the requests themselves.
  static constexpr std::string_view rolled_up = "rolled up";
  /// The account's requests after `after`, which is its `rolled_to`.
  virtual UsageSum usage_after(AccountId account, std::int64_t after) = 0;
  /// The same of every account that has some, in one pass.
  virtual std::map<AccountId, UsageSum> usage_not_rolled_up() = 0;
  virtual void add_to_day(const DayRow& row) = 0;
  /// From now on they are found by their account.
  virtual void add_to_account(AccountId account, const std::vector<UsageSum::Request>& requests) = 0;
  /// The id of the newest request; 0: there is none.
  virtual std::int64_t last_request() = 0;
  /// Deletes at most `most` requests that are older than `before` and known to their days; returns how many.
  virtual std::size_t forget_requests(std::int64_t before, std::size_t most) = 0;

  /// A number or text of the store's own, by name.
  virtual std::int64_t mark(std::string_view name) = 0;
  virtual void set_mark(std::string_view name, std::int64_t value) = 0;

  /// What was answered to a call that carried an idempotency key.
  static constexpr std::int64_t most_answers = 1'000;
  struct Answer {
    Digest request{};      ///< Of the call.
    std::string sealed;
  };
  virtual std::optional<Answer> answer(AccountId caller, std::string_view key) = 0;
  /// Of one caller at most `most_answers` are kept: the oldest give way.
  virtual void keep_answer(AccountId caller, std::string_view key, const Answer& answer, WallTime now) = 0;
  virtual std::size_t forget_answers(WallTime before) = 0;
};

/// Which accounts a listing shows.
struct AccountQuery {
  AccountRow of;                       ///< Whose children or descendants.
  bool descendants = false;
  std::optional<AccountId> id;
  std::string name, email;             ///< Empty: any.
  std::int64_t offset = 0, size = 1000;
};

/// Which requests a listing shows: those of `of` and its descendants. Of few accounts only what they have taken in is found.
struct RequestQuery {
  AccountRow of;
  std::optional<AccountId> user;
  std::int64_t from = 0;               ///< Request ids: at or after; 0: from the first.
  std::int64_t before = 0;             ///< Before; 0: to the last.
  std::string model;                   ///< Empty: any.
  std::int64_t offset = 0, size = 100;
};
struct ShownRequest {
  UsageRow row;
  std::string model, path, account;
};

struct BillQuery {
  AccountRow of;
  std::optional<AccountId> user;
  std::int32_t from = 0, to = 0;       ///< Days, both included.
};
struct BillAccount {
  AccountId id = 0;
  std::string name, email;
  std::int64_t requests = 0;
  Money cost;
};
struct Bill {
  std::vector<DayRow> days;            ///< By day, then model; account_id 0: summed.
  std::vector<BillAccount> accounts;   ///< Most costly first; at most 1000.
};

struct OperationQuery {
  AccountId account = 0;               ///< On it and by it.
  std::string action;
  std::optional<AccountId> target;
  std::int64_t offset = 0, size = 100;
};

/// What the accounts ask of a database. Loop thread; coroutines; failures throw StorageError.
class AccountStore {
 public:
  virtual ~AccountStore() = default;

  /// The account of that key, behind its ancestors from the first; empty: there is none.
  virtual Task<std::vector<AccountRow>> find_lineage(Digest key_digest) = 0;
  /// The same by id.
  virtual Task<std::vector<AccountRow>> find_lineage(AccountId id) = 0;
  virtual Task<std::optional<AccountRow>> find_by_name(std::string name) = 0;
  /// Inserts, or replaces key and e-mail of the account of that name. Returns it as stored.
  virtual Task<AccountRow> put_account(AccountRow row) = 0;

  /// Runs `work` in a transaction together with others; true once it is stored.
  virtual Task<bool> transact(std::function<void(AccountTransaction&)> work) = 0;

  /// The number that stands for a model's or path's name in stored requests. Stored once.
  virtual Task<std::int64_t> word(std::string text) = 0;

  virtual Task<std::vector<AccountRow>> list_accounts(AccountQuery query) = 0;
  virtual Task<std::vector<CardRow>> list_cards(AccountId account) = 0;
  virtual Task<std::vector<ShownRequest>> list_requests(RequestQuery query) = 0;
  virtual Task<Bill> bill(BillQuery query) = 0;
  virtual Task<std::vector<OperationRow>> list_operations(OperationQuery query) = 0;
};

}  // namespace proxyxai
