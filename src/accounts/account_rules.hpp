#pragma once

#include "proxyxai/accounts/service.hpp"

namespace proxyxai {

/// Puts what `change` asks for into `row`, all but money; throws Refused naming the field. `parent` bounds limits and rates.
void apply_change(AccountRow& row, const AccountChange& change, const AccountRow& parent, std::optional<Rate> lowest_child_rate);

/// Throws when `change` asks for anything but what an account may change of itself.
void require_own_fields(const AccountChange& change);

/// Throws unless there is no account of that name or e-mail but `self`.
void require_free(AccountTransaction& transaction, const AccountRow& row);

/// Rounded up to whole hundreds of dollars.
Money up_to_hundreds(Money amount);

/// How long a card of `days` lasts.
seconds card_life(const AccountChange& change);

/// A fault of one field.
[[noreturn]] void refuse_value(std::string_view field, const std::string& what);

/// The account `who` names, if it is the caller or below it; throws Refused.
AccountRow target_of(AccountTransaction& transaction, const AccountRow& caller, const std::string& who);
/// The account as it is stored; throws Refused when it is there no more.
AccountRow row_of(AccountTransaction& transaction, AccountId id);

void set_key(AccountRow& row, const Secret& key);

/// What `amount` ≥ 0 in the book of rate `of` is in the book of rate `in`: to who pays it, rounded up, so that nothing is had for
/// nothing, and to who gets it, rounded down.
Money price_in_book(Money amount, Rate of, Rate in);
Money worth_in_book(Money amount, Rate of, Rate in);

/// What a change asks for, as JSON for the log of operations.
std::string describe(const AccountChange& change);

}  // namespace proxyxai
