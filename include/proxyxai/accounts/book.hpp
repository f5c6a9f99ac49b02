#pragma once

#include "proxyxai/accounts/cards.hpp"

namespace proxyxai {

/// One account with its cards, within a transaction: every change of its money goes through here, so that each has its
/// transfer. Opening it takes in the requests that the stored figures do not know of yet. Storage thread; nothing is stored
/// before `save`.
class Book {
 public:
  /// `row` as the transaction gives it. `now` dates what is written. `known`: requests that memory has added up; where they do not begin
  /// with what the row does not know of, the stored ones are read.
  Book(AccountTransaction& transaction, AccountRow row, WallTime now, const UsageSum* known = nullptr);

  [[nodiscard]] AccountRow& row() { return row_; }
  [[nodiscard]] Money balance() const { return sum_of(cards_) - row_.overdraft; }

  /// Writes down a movement; cards and debts are the caller's next steps. A negative amount moves the other way, none is none.
  void record(const char* kind, AccountId from, AccountId to, Money amount);
  /// Takes from the cards that expire first; what they do not cover is owed (root owes nothing: it is issued).
  void spend(Money amount);
  /// A new card; what is owed is paid from it first.
  void add(Money amount, seconds valid, std::string reference);
  /// Changes the rate; what the balance buys stays.
  void set_rate(Rate rate);
  /// Ends cards that have run out, but for `held`.
  void expire_cards(Money held);

  void set_operation(std::int64_t id) { operation_ = id; }
  /// Stores row and cards; the row then has the sums of what was stored.
  void save();

 private:
  void take_in(const UsageSum& usage);

  AccountTransaction& transaction_;
  AccountRow row_;
  Cards cards_;
  const WallTime now_;
  std::int64_t operation_ = 0;
};

/// Moves credit between books of different rates: `paid` leaves the one, `received` reaches the other as a card. Root pays with
/// newly issued credit, and what it is paid is taken out of the world.
void move_credit(const char* kind, Book& from, Money paid, Book& to, Money received, seconds valid, const std::string& reference);

}  // namespace proxyxai
