#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "proxyxai/accounts/account.hpp"
#include "proxyxai/base/api_error.hpp"

namespace proxyxai {

/// What a request may come to.
struct Demand {
  std::string_view model;
  Money least;                  ///< Must be available, or the request is refused.
  Money wanted;                 ///< Is reserved as far as it is available; ≥ `least`.
  std::int64_t least_tokens = 0, wanted_tokens = 0;  ///< The same of the token limits.
  std::int32_t month = 0;       ///< The current one, as 202611: HardLimit counts what was used in it.
};

/// What is promised to one request: money, tokens of every limit on the way up to root, and a place among those in flight.
/// Nothing is taken when it is refused; everything is given back exactly once, at the latest when it dies. Loop thread.
class Hold {
 public:
  Hold() = default;
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() { release(); }

  /// Takes what `demand` asks, or says why not, in the order of the contract: monthly limit, balance, rate limits.
  /// `floor`: the least balance an account may call with (CALL_MIN_BALANCE).
  std::optional<ApiError> place(AccountPtr account, const Demand& demand, Money floor, Instant now);
  /// Reserves more money. False: the credit has run out, and nothing was reserved.
  bool top_up(Money amount);
  /// Gives back what is reserved beyond `most`: a part of the request has been paid for.
  void shrink_to(Money most);
  /// A turn of a WebSocket has used `tokens`: they count in the limits from now on, and each turn after the first as a request.
  void use(std::int64_t tokens, Instant now);
  /// False: a limit of requests or tokens, of the account or one above it, leaves nothing for another turn.
  [[nodiscard]] bool has_room(Instant now) const;
  /// The request has used `tokens` in all; the limits that counted what was promised are set right, and the rest given back.
  void settle(std::int64_t tokens, Instant now);
  void release();

  [[nodiscard]] bool is_placed() const { return account_ != nullptr; }
  [[nodiscard]] Money money() const { return money_; }

 private:
  /// Tokens counted in a window, which may be another object by the time they are corrected.
  struct Counted {
    AccountPtr account;
    std::string model;  // pattern of ModelLimits; empty: the account's own
    seconds length;
    std::int64_t time;
  };
  std::optional<ApiError> check_rates(const Demand& demand, std::int64_t& tokens, Instant now) const;
  void count(const Demand& demand, Instant now);

  AccountPtr account_;
  Money money_;
  std::int64_t tokens_ = 0;   // promised, and counted in the limits
  std::int64_t used_ = 0;     // counted turn by turn in the accounts' own limits
  bool has_turned_ = false;
  std::vector<Counted> counted_;
};

/// Credit promised to work that goes on upstream after its request has ended; given back when it dies. The account cannot be deleted
/// meanwhile. Loop thread.
class Reservation {
 public:
  /// Takes `money`, be there as much or not: a hold has made sure.
  Reservation(AccountPtr account, Money money);
  Reservation(Reservation&& other) noexcept = default;
  Reservation& operator=(Reservation&& other) = delete;
  ~Reservation();
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

  [[nodiscard]] const AccountPtr& account() const { return account_; }
  [[nodiscard]] Money money() const { return money_; }

 private:
  AccountPtr account_;
  Money money_;
};

/// The account's own tightest limits, as `x-ratelimit-*` shows them.
struct RateShown {
  std::int64_t limit = 0, left = 0;
  milliseconds reset{0};
};
std::optional<RateShown> shown_requests(Account& account, Instant now);
std::optional<RateShown> shown_tokens(Account& account, Instant now);

}  // namespace proxyxai
