#include "proxyxai/accounts/service.hpp"

#include <algorithm>

#include "account_rules.hpp"
#include "proxyxai/accounts/virtual_key.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/wait_until.hpp"

namespace proxyxai {
namespace {

constexpr seconds taken_back_life{300 * 86'400};

[[noreturn]] void cannot_pay(Money cost) {
  throw Refused({400, "insufficient_balance", "CreditGranted costs $" + to_decimal(cost) + ", more than your balance covers.", "CreditGranted", true});
}

/// What was kept of the answer to this call; empty: it is the first.
std::string kept_of(AccountTransaction& transaction, AccountId caller, const std::string& key, const Digest& request) {
  auto kept = transaction.answer(caller, key);
  if (!kept) return {};
  if (kept->request != request) {
    throw Refused({409, "idempotency_key_reused", "This Idempotency-Key came with another request before; use a new one.", "Idempotency-Key", true});
  }
  return std::move(kept->sealed);
}

/// Sums of balances are to fit.
void require_bounded(Money balance, const char* field) {
  if (balance > most_money) refuse_value(field, "would make a balance of over $" + to_decimal(most_money));
}

/// Amounts are divided by rates before the rules of accounts are asked.
void require_rate(const AccountChange& change) {
  if (change.rates && *change.rates <= 0) refuse_value("Rates", "must be over 0");
}

}  // namespace

/// Money of an account in memory that a call is about to move: requests cannot be promised it meanwhile.
class AccountService::Reservation {
 public:
  Reservation(AccountPtr account, Money amount) : account_(std::move(account)), amount_(amount) { account_->held += amount_; }
  ~Reservation() { account_->held -= amount_; }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

 private:
  AccountPtr account_;
  Money amount_;
};

bool ask_for(AccountQuery& query, const std::string& who) {
  const auto id = parse_whole(who);
  // No account has such an id, and a query for none is a query for all.
  if (who.empty() || (id && *id <= 0)) return false;
  if (id) query.id = id;
  else if (who.find('@') != who.npos) query.email = who;
  else query.name = who;
  return true;
}

bool asks_for(const AccountQuery& query, const AccountRow& account) {
  return query.id == account.id || query.name == account.name || (!query.email.empty() && query.email == account.email);
}

void no_such_account(const std::string& who) {
  throw Refused({404, "account_not_found", "There is no account '" + who.substr(0, 100) + "' below yours.", "id", true});
}

bool AccountService::may_manage(const Account& caller) const {
  return caller.row.is_root || caller.balance() > settings_.user_api_min_balance;
}

void AccountService::require_manager(const Account& caller) const {
  if (may_manage(caller)) return;
  throw Refused({401, "insufficient_balance_for_management", "Managing accounts takes a balance over $" +
                 to_decimal(settings_.user_api_min_balance) + "; yours is $" + to_decimal(caller.balance()) + ".", {}, true});
}

Task<AccountOutcome> AccountService::run(AccountPtr caller, Once once, Work work) {
  AccountOutcome outcome;
  const WallTime now = clock_.wall_now();
  const AccountId id = caller->row.id;
  auto job = [&outcome, &once, &work, id, now](AccountTransaction& transaction) {
    std::vector<AccountRow> rows;
    if (!once.key.empty()) {
      outcome.repeated = kept_of(transaction, id, once.key, once.request);
      if (!outcome.repeated.empty()) return rows;
    }
    outcome = work(transaction, rows);
    if (!once.key.empty()) transaction.keep_answer(id, once.key, {once.request, once.keep(outcome)}, now);
    return rows;
  };
  co_await ledger_.transact(std::move(job));
  co_return outcome;
}

Task<AccountOutcome> AccountService::run_repricing(AccountPtr target, AccountPtr caller, Once once, Work work) {
  ledger_.begin_repricing(target);
  try {
    // What was charged at the old rate must be in the book that changes.
    auto is_stored = [&target] { return target->uncommitted == target->parked; };
    if (!co_await wait_until(std::move(is_stored))) {
      throw Refused({503, "storage_unavailable", "What the account has used cannot be stored now. Nothing was changed; try again later.", {}, false,
                     milliseconds(5'000)});
    }
    AccountOutcome outcome = co_await run(std::move(caller), std::move(once), std::move(work));
    ledger_.end_repricing(target);
    co_return outcome;
  } catch (...) {
    ledger_.end_repricing(target);
    throw;
  }
}

Task<std::string> AccountService::kept_answer(AccountPtr caller, std::string key, Digest request) {
  std::string kept;
  auto look = [&kept, &key, &request, id = caller->row.id](AccountTransaction& transaction) { kept = kept_of(transaction, id, key, request); };
  co_await store_.transact(std::move(look));
  co_return kept;
}

Task<AccountOutcome> AccountService::create(AccountPtr caller, AccountChange wanted, Once once) {
  require_manager(*caller);
  if (!wanted.name) refuse_value("Name", "is required");
  if (!wanted.email) refuse_value("Email", "is required");
  if (!wanted.credit_granted) refuse_value("CreditGranted", "is required");
  const Money amount = *wanted.credit_granted;
  if (amount < settings_.user_min_balance) refuse_value("CreditGranted", "must be at least " + to_decimal(settings_.user_min_balance));
  require_rate(wanted);
  const seconds life = card_life(wanted);
  const Money cost = price_in_book(amount, wanted.rates.value_or(caller->row.rates), caller->row.rates);
  if (!caller->row.is_root && cost > caller->available()) cannot_pay(cost);
  const Reservation reservation(caller, caller->row.is_root ? Money{} : cost);
  const Secret key = make_virtual_key();
  const WallTime now = clock_.wall_now();
  const AccountId caller_id = caller->row.id;
  auto work = [&wanted, &key, caller_id, amount, life, now](AccountTransaction& transaction, std::vector<AccountRow>& rows) {
    Book parent(transaction, row_of(transaction, caller_id), now);
    if (parent.row().children >= parent.row().child_limit) {
      throw Refused({409, "child_limit_reached", "This account has its " + std::to_string(parent.row().child_limit) + " children already.", {}, true});
    }
    AccountRow child;
    child.parent_id = parent.row().id;
    child.level = parent.row().level + 1;
    child.dna = parent.row().dna;
    child.rates = wanted.rates.value_or(parent.row().rates);
    child.limits = parent.row().limits;
    child.hard_limit = up_to_hundreds(amount);
    child.created_at = child.updated_at = now;
    set_key(child, key);
    apply_change(child, wanted, parent.row(), std::nullopt);
    if (!wanted.soft_limit) child.soft_limit = scale(child.hard_limit, 8, 10);
    require_free(transaction, child);
    transaction.insert(child);
    OperationRow operation{0, now, caller_id, child.id, "add", describe(wanted)};
    transaction.add(operation);
    Book user(transaction, std::move(child), now);
    parent.set_operation(operation.id);
    user.set_operation(operation.id);
    // Of the stored rate: the caller's may have changed since it was looked at.
    const Money price = price_in_book(amount, user.row().rates, parent.row().rates);
    if (!parent.row().is_root && price > parent.balance()) cannot_pay(price);
    move_credit("grant", parent, price, user, amount, life, "granted by " + parent.row().name);
    user.row().credit_granted += amount;
    parent.row().children += 1;
    parent.save();
    user.save();
    rows = {parent.row(), user.row()};
    return AccountOutcome{parent.row(), user.row(), key, {}};
  };
  AccountOutcome outcome = co_await run(caller, std::move(once), std::move(work));
  if (outcome.repeated.empty() && on_created_) on_created_(outcome.user);
  co_return outcome;
}

namespace {

/// Grants or takes back; the target's rate is settled by then.
void move_for(Book& caller, Book& user, const AccountChange& change, Money fee, seconds life) {
  const Money amount = change.credit_granted.value_or(Money{});
  if (amount.nanos > 0) {
    const Money price = price_in_book(amount, user.row().rates, caller.row().rates);
    if (!caller.row().is_root && price > caller.balance()) cannot_pay(price);
    require_bounded(user.balance() + amount, "CreditGranted");
    move_credit("grant", caller, price, user, amount, life, "granted by " + caller.row().name);
    user.row().credit_granted += amount;
    if (!change.hard_limit) user.row().hard_limit = up_to_hundreds(user.balance());
  } else if (amount.nanos < 0) {
    if (-amount > user.balance()) {
      refuse_value("CreditGranted", "takes back more than the balance of $" + to_decimal(user.balance()));
    }
    if (!caller.row().is_root) {
      caller.record("fee", caller.row().id, counterpart::fees, fee);
      caller.spend(fee);
    }
    move_credit("take_back", user, -amount, caller, worth_in_book(-amount, user.row().rates, caller.row().rates), taken_back_life,
                "taken back from " + user.row().name);
    user.row().credit_granted += amount;
  }
}

}  // namespace

Task<AccountOutcome> AccountService::update(AccountPtr caller, std::string who, AccountChange change, Once once) {
  const auto found = co_await find(caller, who);
  if (!found) no_such_account(who);
  const bool is_self = found->id == caller->row.id;
  if (is_self) require_own_fields(change);
  else require_manager(*caller);
  require_rate(change);
  const seconds life = card_life(change);
  const Money amount = change.credit_granted.value_or(Money{});
  // What is promised to requests in flight can neither be granted on nor taken back.
  AccountPtr payer = amount.nanos < 0 ? accounts_.loaded(found->id) : caller;
  Money price = amount.nanos < 0 ? -amount : price_in_book(amount, change.rates.value_or(found->rates), caller->row.rates);
  if (!payer || payer->row.is_root || amount.nanos == 0) price = {};
  if (price.nanos > 0 && price > payer->available()) {
    if (amount.nanos > 0) cannot_pay(price);
    refuse_value("CreditGranted", "takes back more than the $" + to_decimal(payer->available()) + " that are not promised to requests in flight");
  }
  const Reservation reservation(payer ? payer : caller, price);
  const WallTime now = clock_.wall_now();
  const AccountId caller_id = caller->row.id;
  const Money fee = settings_.fee_transaction;
  auto work = [&change, &who, caller_id, life, fee, now](AccountTransaction& transaction, std::vector<AccountRow>& rows) {
    Book parent(transaction, row_of(transaction, caller_id), now);
    AccountRow target = target_of(transaction, parent.row(), who);
    OperationRow operation{0, now, caller_id, target.id, "update", describe(change)};
    if (target.id == caller_id) {
      require_own_fields(change);
      apply_change(parent.row(), change, parent.row(), std::nullopt);
      transaction.add(operation);
      parent.save();
      rows = {parent.row()};
      return AccountOutcome{parent.row(), parent.row(), {}, {}};
    }
    // Limits and rates are bounded by its own parent, which need not be the caller.
    const AccountRow bounds = target.parent_id == caller_id ? parent.row() : row_of(transaction, target.parent_id);
    Book user(transaction, std::move(target), now);
    apply_change(user.row(), change, bounds, transaction.lowest_child_rate(user.row().id));
    require_free(transaction, user.row());
    transaction.add(operation);
    parent.set_operation(operation.id);
    user.set_operation(operation.id);
    if (change.rates && *change.rates != user.row().rates) {
      require_bounded(scale(user.balance(), *change.rates, user.row().rates), "Rates");
      user.set_rate(*change.rates);
    }
    move_for(parent, user, change, fee, life);
    parent.save();
    user.save();
    rows = {parent.row(), user.row()};
    return AccountOutcome{parent.row(), user.row(), {}, {}};
  };
  AccountPtr repriced;
  if (change.rates) repriced = co_await accounts_.find(found->id);
  if (repriced) co_return co_await run_repricing(repriced, caller, std::move(once), std::move(work));
  co_return co_await run(caller, std::move(once), std::move(work));
}

Task<AccountOutcome> AccountService::rotate_self(AccountPtr caller, Once once) {
  const WallTime now = clock_.wall_now();
  const Secret key = make_virtual_key();
  const AccountId id = caller->row.id;
  auto work = [&key, id, now](AccountTransaction& transaction, std::vector<AccountRow>& rows) {
    Book book(transaction, row_of(transaction, id), now);
    set_key(book.row(), key);
    OperationRow operation{0, now, id, id, "rotate", "{}"};
    transaction.add(operation);
    book.save();
    rows = {book.row()};
    return AccountOutcome{book.row(), book.row(), key, {}};
  };
  co_return co_await run(caller, std::move(once), std::move(work));
}

Task<AccountOutcome> AccountService::rotate(AccountPtr caller, std::string name, Secret given, Once once) {
  if (!given.empty()) {
    if (!is_virtual_key(given.reveal())) refuse_value("key", "must be 'sk-Xvs' and 45 random letters and digits");
    const AccountPtr owner = co_await accounts_.find(sha256(given.reveal()));
    if (owner) throw Refused({409, "already_taken", "This key is in use.", "key", true});
  }
  const Secret key = given.empty() ? make_virtual_key() : given;
  const WallTime now = clock_.wall_now();
  const AccountId id = caller->row.id;
  auto work = [&key, &name, id, now](AccountTransaction& transaction, std::vector<AccountRow>& rows) {
    const AccountRow by = row_of(transaction, id);
    Book book(transaction, name.empty() ? by : target_of(transaction, by, name), now);
    set_key(book.row(), key);
    OperationRow operation{0, now, id, book.row().id, "rotate", "{}"};
    transaction.add(operation);
    book.save();
    rows = {book.row()};
    return AccountOutcome{by, book.row(), key, {}};
  };
  co_return co_await run(caller, std::move(once), std::move(work));
}

Task<std::vector<AccountRow>> AccountService::list(AccountPtr caller, AccountQuery query) {
  require_manager(*caller);
  const bool is_all = !query.id && query.name.empty() && query.email.empty();
  if (is_all && !caller->row.is_root && settings_.fee_listing.nanos > 0) {
    const WallTime now = clock_.wall_now();
    auto pay = [id = caller->row.id, fee = settings_.fee_listing, now](AccountTransaction& transaction) {
      Book book(transaction, row_of(transaction, id), now);
      book.record("fee", id, counterpart::fees, fee);
      book.spend(fee);
      book.save();
      return std::vector<AccountRow>{book.row()};
    };
    co_await ledger_.transact(std::move(pay));
  }
  co_await ledger_.roll_up();
  query.of = caller->row;
  co_return co_await store_.list_accounts(std::move(query));
}

Task<std::pair<AccountRow, std::vector<CardRow>>> AccountService::show(AccountPtr caller) {
  co_await ledger_.roll_up();
  const AccountId id = caller->row.id;
  const std::vector<AccountRow> lineage = co_await store_.find_lineage(id);
  if (lineage.empty()) throw Refused({401, "invalid_api_key", "This account has been deleted.", {}, true});
  std::vector<CardRow> cards = co_await store_.list_cards(id);
  co_return std::pair(lineage.back(), std::move(cards));
}

Task<std::optional<AccountRow>> AccountService::find(AccountPtr caller, std::string who) {
  const AccountRow& own = caller->row;
  AccountQuery query;
  if (!ask_for(query, who)) co_return std::nullopt;
  // A name that INIT_USERS gave may be a number.
  if (asks_for(query, own) || who == own.name) co_return own;
  query.of = own;
  query.descendants = true;
  query.size = 1;
  auto rows = co_await store_.list_accounts(std::move(query));
  if (rows.empty()) co_return std::nullopt;
  co_return std::move(rows.front());
}

Task<std::vector<ShownRequest>> AccountService::requests(RequestQuery query) {
  auto wanted = [&query](const Account& each) { return query.user ? each.row.id == *query.user : each.row.dna.starts_with(query.of.dna); };
  co_await ledger_.roll_up(std::move(wanted));
  co_return co_await store_.list_requests(std::move(query));
}

Task<Bill> AccountService::bill(BillQuery query) {
  co_await ledger_.roll_up();
  co_return co_await store_.bill(std::move(query));
}

}  // namespace proxyxai
