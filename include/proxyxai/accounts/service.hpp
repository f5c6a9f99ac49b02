#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "proxyxai/accounts/ledger.hpp"
#include "proxyxai/base/api_error.hpp"
#include "proxyxai/base/secret.hpp"

namespace proxyxai {

/// What a caller asks to be so; what is not given stays.
struct AccountChange {
  std::optional<std::string> name, alias, email, billing_email;
  std::optional<Money> credit_granted;            ///< > 0 grants, < 0 takes back.
  std::optional<double> days;                     ///< Of the card: 0 to 365, fractions allowed.
  std::optional<Rate> rates;
  std::optional<Money> hard_limit, soft_limit;
  std::optional<std::int64_t> rpm, rph, rpd, tpm, tph, tpd, concurrency;
  std::optional<std::string> allow_ips, deny_ips, allow_models, deny_models, resources, model_limits;
  std::optional<bool> enabled;
  std::optional<bool> drains_aborted;
};

/// What became of a call that changes accounts.
struct AccountOutcome {
  AccountRow parent;               ///< The one that paid or was paid.
  AccountRow user;
  Secret key;                      ///< A new key: shown once.
  std::string repeated;            ///< Not empty: the call is a repetition; this was kept of the first answer.
};

/// An idempotency key with what it guards.
struct Once {
  std::string key;                 ///< Empty: none.
  Digest request{};                ///< Of method, path and body.
  /// Makes of the outcome what is kept (sealed, for it may hold a new key). Storage thread.
  std::function<std::string(const AccountOutcome&)> keep;
};

/// Makes `query` ask for the one account that `who` names: its id, e-mail or name. False: nobody can be named so.
bool ask_for(AccountQuery& query, const std::string& who);
/// True when `account` is the one that such a query asks for.
bool asks_for(const AccountQuery& query, const AccountRow& account);
[[noreturn]] void no_such_account(const std::string& who);

/// Everything that callers do to accounts: each call is one transaction, all of it or nothing. Refusals are thrown as Refused.
/// Loop thread only.
class AccountService {
 public:
  struct Settings {
    Money user_min_balance = dollars(2);        ///< USER_MIN_BALANCE: the least that a new account is granted.
    Money user_api_min_balance = dollars(20);   ///< USER_API_MIN_BALANCE: what a caller must have to manage accounts.
    Money fee_transaction{200'000'000};         ///< FEE_TRANSACTION
    Money fee_listing{2'000'000};               ///< FEE_LISTING
    Money call_min_balance = dollars(1);        ///< CALL_MIN_BALANCE: only told here.
  };
  AccountService(Ledger& ledger, AccountStore& store, AccountDirectory& accounts, Clock& clock, Settings settings)
      : ledger_(ledger), store_(store), accounts_(accounts), clock_(clock), settings_(settings) {}

  [[nodiscard]] const Settings& settings() const { return settings_; }

  /// Refuses callers that may not manage accounts: 401 `insufficient_balance_for_management`.
  void require_manager(const Account& caller) const;
  [[nodiscard]] bool may_manage(const Account& caller) const;

  /// What was kept of the first answer to a call with this idempotency key; empty: there was none. To be asked before anything
  /// else, for the first call may have made a repetition impossible. Throws when the key came with another call.
  Task<std::string> kept_answer(AccountPtr caller, std::string key, Digest request);

  Task<AccountOutcome> create(AccountPtr caller, AccountChange wanted, Once once);
  /// `who`: id, name or e-mail of a descendant, or of the caller itself for its alias and billing address.
  Task<AccountOutcome> update(AccountPtr caller, std::string who, AccountChange change, Once once);
  /// Its balance goes to its parent, and so does what it owes.
  Task<AccountOutcome> remove(AccountPtr caller, std::string who, Once once);
  /// A new key for the caller.
  Task<AccountOutcome> rotate_self(AccountPtr caller, Once once);
  /// By root: a new key, given or made, for the account of that name; empty: root.
  Task<AccountOutcome> rotate(AccountPtr caller, std::string name, Secret key, Once once);

  /// Children or descendants of `query.of` = the caller; rolled up first. Listing all children costs FEE_LISTING.
  Task<std::vector<AccountRow>> list(AccountPtr caller, AccountQuery query);
  /// The account itself, rolled up, with its cards.
  Task<std::pair<AccountRow, std::vector<CardRow>>> show(AccountPtr caller);
  /// A descendant of the caller, or itself, by id, name or e-mail; null: none that the caller may see.
  Task<std::optional<AccountRow>> find(AccountPtr caller, std::string who);

  /// Calls `watcher` with each account that has been made.
  void on_created(std::function<void(const AccountRow&)> watcher) { on_created_ = std::move(watcher); }

  /// What they show is rolled up first.
  Task<std::vector<ShownRequest>> requests(RequestQuery query);
  Task<Bill> bill(BillQuery query);
  Task<std::vector<OperationRow>> operations(OperationQuery query) { return store_.list_operations(std::move(query)); }

 private:
  /// One call under way: reserves money in memory while the transaction runs.
  class Reservation;
  using Work = std::function<AccountOutcome(AccountTransaction&, std::vector<AccountRow>&)>;
  Task<AccountOutcome> run(AccountPtr caller, Once once, Work work);
  /// The same where the rate of `target` changes: requests that end meanwhile are charged before or after, each at its rate.
  Task<AccountOutcome> run_repricing(AccountPtr target, AccountPtr caller, Once once, Work work);

  Ledger& ledger_;
  AccountStore& store_;
  AccountDirectory& accounts_;
  Clock& clock_;
  const Settings settings_;
  std::function<void(const AccountRow&)> on_created_;
};

}  // namespace proxyxai
