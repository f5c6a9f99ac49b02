#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proxyxai/accounts/access.hpp"
#include "proxyxai/base/window.hpp"
#include "proxyxai/storage/account_store.hpp"

namespace proxyxai {

struct Account;
using AccountPtr = std::shared_ptr<Account>;

/// The windows of one set of limits; those that have no limit are not kept.
struct Windows {
  std::vector<SlidingWindow> requests, tokens;
  /// Takes over new limits; what was counted stays.
  void set(const RateLimits& limits);
  [[nodiscard]] bool has_any() const { return !requests.empty() || !tokens.empty(); }
};

/// An account in memory: who it is, what it may, and what is left to it. There is one object an account, shared by the
/// requests in flight and by its children. Loop thread only.
struct Account {
  AccountRow row;               ///< As last stored. Its money figures are of request `row.rolled_to`.
  AccessRules access;
  AccountPtr parent;
  bool is_gone = false;         ///< Deleted.
  bool is_closing = false;      ///< Being deleted: not enabled, whatever is stored.

  // Money.
  Money used_total;             ///< As `row.credit_used`, with every request charged since.
  Money held;                   ///< Promised to requests in flight.
  std::int32_t month = 0;       ///< `month_used` belongs to it.
  Money month_used;

  // Limits.
  std::int64_t in_flight = 0;
  std::int64_t reservations = 0;  ///< Work under way upstream that is charged later.
  std::int64_t uncommitted = 0; ///< Charges that are not stored yet.
  std::int64_t parked = 0;      ///< Those of them that wait for a change of the rate to end.
  std::int64_t repricing = 0;   ///< Changes of the rate under way.
  Windows windows;
  std::map<std::string, Windows, std::less<>> by_model;  ///< By the pattern of `ModelLimits`.
  std::int64_t changes = 0;     ///< Calls of its that change accounts, in the minute that began at `changes_since`.
  Instant changes_since{};

  /// What its cards are worth, less what is owed and what has been charged since they were stored.
  [[nodiscard]] Money balance() const { return row.balance() - (used_total - row.credit_used); }
  [[nodiscard]] Money available() const { return balance() - held; }
  [[nodiscard]] bool is_at_or_under(const Account& other) const;

  // What binds an account binds all that are below it.
  [[nodiscard]] bool is_enabled() const;
  [[nodiscard]] bool may_use_path(std::string_view path) const;
  [[nodiscard]] bool may_use_model(std::string_view model) const;
  /// False: it may use every model.
  [[nodiscard]] bool limits_models() const;

  /// A request has cost so much, in the calendar month `now_month`.
  void charge(Money cost, std::int32_t now_month);
  /// A charge of that month that could not be stored never was.
  void take_back(Money cost, std::int32_t charged_month);
  /// What it has used in the calendar month `now_month`, up to now.
  [[nodiscard]] Money used_in(std::int32_t now_month) const { return month == now_month ? month_used : Money{}; }

  /// It asks for a change of accounts. Given: it has made `most_changes` of them in this minute, and waits so long.
  std::optional<milliseconds> count_change(Instant now);
  static constexpr std::int64_t most_changes = 600;

  /// Takes over what has been stored.
  void apply(const AccountRow& stored);
};

/// The limits of `{"gpt-4o":{"rpm":30,"tpm":90000}}`, by pattern. Nullopt: not of that form; `bad` says where.
std::optional<std::map<std::string, RateLimits, std::less<>>> parse_model_limits(std::string_view json, std::string& bad);

}  // namespace proxyxai
