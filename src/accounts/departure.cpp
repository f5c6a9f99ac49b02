#include <algorithm>

#include "account_rules.hpp"
#include "proxyxai/base/wait_until.hpp"

namespace proxyxai {
namespace {

constexpr seconds deleted_life{180 * 86'400};

/// What is left on `user` goes to its parent as one card, less the fee.
void refund(Book& user, Book& parent, Money most_fee) {
  const Money balance = user.balance();
  const Money worth = worth_in_book(balance, user.row().rates, parent.row().rates);
  const Money fee = std::min(most_fee, worth);
  user.record("fee", user.row().id, counterpart::fees, fee);
  move_credit("refund", user, balance - fee, parent, worth - fee, deleted_life, "refund of " + user.row().name);
  user.spend(fee);
}

/// What `user` owes its parent pays, and owes where its cards do not cover it: else who makes accounts, overdraws and deletes them
/// would use for nothing.
void pass_on_debt(Book& user, Book& parent) {
  const Money debt = -user.balance();
  const Money price = price_in_book(debt, user.row().rates, parent.row().rates);
  move_credit("debt", parent, price, user, debt, deleted_life, "debt of " + user.row().name);
}

}  // namespace

Task<AccountOutcome> AccountService::remove(AccountPtr caller, std::string who, Once once) {
  require_manager(*caller);
  const auto found = co_await find(caller, who);
  // A repetition finds the account gone; its first answer is still there.
  if (found && found->id == caller->row.id) throw Refused({403, "not_yours_to_change", "An account cannot delete itself.", {}, true});
  // In memory from here on, so that no request finds it enabled.
  AccountPtr loaded;
  if (found) loaded = co_await accounts_.find(found->id);
  const auto reopen = [&loaded] {
    if (loaded) loaded->is_closing = false;
  };
  if (loaded) {
    if (loaded->is_closing) throw Refused({409, "requests_in_flight", "The account is being deleted already.", {}, false, milliseconds(5'000)});
    // Its key stops at once; what is under way comes to its end, so that the balance is the last word.
    loaded->is_closing = true;
    auto is_idle = [&loaded] { return loaded->in_flight == 0 && loaded->reservations == 0 && loaded->uncommitted == 0; };
    if (!co_await wait_until(std::move(is_idle))) {
      reopen();
      throw Refused({409, "requests_in_flight", "The account has requests in flight; set Status to false, and delete it when they have ended.", {}, false, milliseconds(5'000)});
    }
  }
  const WallTime now = clock_.wall_now();
  const AccountId caller_id = caller->row.id;
  const Money most_fee = settings_.fee_transaction;
  auto work = [&who, caller_id, most_fee, now](AccountTransaction& transaction, std::vector<AccountRow>& rows) {
    const AccountRow by = row_of(transaction, caller_id);
    AccountRow target = target_of(transaction, by, who);
    if (target.children > 0) {
      throw Refused({409, "has_children", "Its sub-accounts are deleted first; it has " + std::to_string(target.children) + ".", {}, true});
    }
    OperationRow operation{0, now, caller_id, target.id, "delete", "{}"};
    Book parent(transaction, row_of(transaction, target.parent_id), now);
    Book user(transaction, std::move(target), now);
    transaction.add(operation);
    parent.set_operation(operation.id);
    user.set_operation(operation.id);
    if (user.balance().nanos < 0) pass_on_debt(user, parent);
    else refund(user, parent, by.is_root || parent.row().is_root ? Money{} : most_fee);
    const AccountRow gone = user.row();
    parent.row().children -= 1;
    parent.save();
    user.save();
    transaction.remove(gone.id, now);
    rows = {parent.row()};
    return AccountOutcome{parent.row(), gone, {}, {}};
  };
  try {
    AccountOutcome outcome = co_await run(caller, std::move(once), std::move(work));
    if (outcome.repeated.empty()) accounts_.remove(outcome.user);
    co_return outcome;
  } catch (...) {
    reopen();
    throw;
  }
}

}  // namespace proxyxai
