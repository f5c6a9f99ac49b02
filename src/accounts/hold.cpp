#include "proxyxai/accounts/hold.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

ApiError insufficient() { return {429, "insufficient_quota", "Insufficient balance", {}, true}; }

ApiError month_is_used_up(const Account& account) {
  return {429, "hard_limit_reached", "This account has reached its limit of $" + to_decimal(account.row.hard_limit) +
                                         " for this calendar month.", {}, true};
}

const char* name_of(seconds length) { return length.count() <= 60 ? "minute" : length.count() <= 3'600 ? "hour" : "day"; }

ApiError rate_limited(const Account& account, const char* of_what, SlidingWindow& window, std::int64_t amount, Instant now) {
  const milliseconds wait = window.wait_for(now, amount);
  ApiError error{429, "rate_limit_exceeded", {}, {}, false};
  error.message = "Rate limit of account '" + account.row.name + "' reached: " + std::to_string(window.limit()) + " " + of_what + " per " +
                  name_of(window.length()) + ". ";
  if (amount > window.limit()) {
    error.message += "This request alone asks for " + std::to_string(amount) + ".";
    error.final = true;
    return error;
  }
  error.message += "Please try again in " + to_decimal(Money{wait.count() * 1'000'000}) + "s.";
  error.retry_after = wait;
  return error;
}

/// Calls `visit(windows, pattern)` for the limits that count a request of `model` by `account`.
template <class Visitor>
void for_windows(Account& account, std::string_view model, Visitor visit) {
  visit(account.windows, std::string_view());
  for (auto& [pattern, windows] : account.by_model) {
    if (matches_pattern(pattern, model)) visit(windows, std::string_view(pattern));
  }
}

std::optional<RateShown> shown(std::vector<SlidingWindow>& windows, Instant now) {
  if (windows.empty()) return std::nullopt;
  SlidingWindow& tightest = *std::min_element(windows.begin(), windows.end(), [now](SlidingWindow a, SlidingWindow b) {
    return Wide{a.left(now)} * b.limit() < Wide{b.left(now)} * a.limit();
  });
  return RateShown{tightest.limit(), tightest.left(now), tightest.wait_for(now, tightest.limit())};
}

}  // namespace

std::optional<ApiError> Hold::check_rates(const Demand& demand, std::int64_t& tokens, Instant now) const {
  std::optional<ApiError> refusal;
  for (Account* each = account_.get(); each != nullptr && !refusal; each = each->parent.get()) {
    const std::int64_t places = each->row.limits.concurrency;
    if (places > 0 && each->in_flight >= places) {
      refusal = ApiError{429, "rate_limit_exceeded", "Account '" + each->row.name + "' has its " + std::to_string(places) +
                                                         " requests in flight already.", {}, false, milliseconds(1'000)};
      break;
    }
    for_windows(*each, demand.model, [&](Windows& windows, std::string_view) {
      for (SlidingWindow& window : windows.requests) {
        if (!refusal && window.left(now) < 1) refusal = rate_limited(*each, "requests", window, 1, now);
      }
      for (SlidingWindow& window : windows.tokens) {
        const std::int64_t left = window.left(now);
        if (!refusal && left < std::max<std::int64_t>(demand.least_tokens, 1)) {
          refusal = rate_limited(*each, "tokens", window, std::max<std::int64_t>(demand.least_tokens, 1), now);
        }
        tokens = std::min(tokens, left);
      }
    });
  }
  return refusal;
}

void Hold::count(const Demand& demand, Instant now) {
  for (AccountPtr each = account_; each; each = each->parent) {
    ++each->in_flight;
    for_windows(*each, demand.model, [&](Windows& windows, std::string_view pattern) {
      for (SlidingWindow& window : windows.requests) window.add(now, 1);
      for (SlidingWindow& window : windows.tokens) {
        counted_.push_back({each, std::string(pattern), window.length(), window.add(now, tokens_)});
      }
    });
  }
}

std::optional<ApiError> Hold::place(AccountPtr account, const Demand& demand, Money floor, Instant now) {
  release();
  // It may have gone while the request's body was coming.
  if (account->is_gone || account->is_closing) return ApiError{401, "invalid_api_key", "This account has been deleted.", {}, true};
  const bool pays = !account->row.is_root;
  const Money hard_limit = account->row.hard_limit;
  if (pays && hard_limit.nanos > 0 && account->used_in(demand.month) >= hard_limit) return month_is_used_up(*account);
  const Money available = account->available();
  if (pays && (available < floor || available < demand.least || available.nanos <= 0)) return insufficient();
  account_ = std::move(account);
  std::int64_t tokens = std::max(demand.wanted_tokens, demand.least_tokens);
  if (auto refusal = check_rates(demand, tokens, now)) {
    account_ = nullptr;
    return refusal;
  }
  tokens_ = tokens;
  count(demand, now);
  money_ = pays ? std::min(std::max(demand.wanted, demand.least), available) : Money{};
  account_->held += money_;
  return std::nullopt;
}

bool Hold::top_up(Money amount) {
  if (!account_) return false;
  if (account_->row.is_root) return true;
  if (account_->available() < amount) return false;
  account_->held += amount;
  money_ += amount;
  return true;
}

void Hold::shrink_to(Money most) {
  if (!account_ || money_ <= most) return;
  account_->held -= money_ - most;
  money_ = most;
}

void Hold::use(std::int64_t tokens, Instant now) {
  for (Account* each = account_.get(); each != nullptr; each = each->parent.get()) {
    for (SlidingWindow& window : each->windows.tokens) window.add(now, tokens);
    for (SlidingWindow& window : each->windows.requests) window.add(now, has_turned_ ? 1 : 0);
  }
  used_ += tokens;
  has_turned_ = true;
}

bool Hold::has_room(Instant now) const {
  const auto is_used_up = [now](SlidingWindow& window) { return window.left(now) < 1; };
  for (Account* each = account_.get(); each != nullptr; each = each->parent.get()) {
    Windows& windows = each->windows;
    if (std::any_of(windows.requests.begin(), windows.requests.end(), is_used_up)) return false;
    if (std::any_of(windows.tokens.begin(), windows.tokens.end(), is_used_up)) return false;
  }
  return true;
}

void Hold::settle(std::int64_t tokens, Instant now) {
  for (const Counted& each : counted_) {
    Windows* windows = &each.account->windows;
    if (!each.model.empty()) {
      const auto found = each.account->by_model.find(each.model);
      windows = found == each.account->by_model.end() ? nullptr : &found->second;
    }
    if (windows == nullptr) continue;
    for (SlidingWindow& window : windows->tokens) {
      if (window.length() == each.length) window.correct(now, each.time, tokens - tokens_ - (each.model.empty() ? used_ : 0));
    }
  }
  release();
}

void Hold::release() {
  if (!account_) return;
  account_->held -= money_;
  for (Account* each = account_.get(); each != nullptr; each = each->parent.get()) --each->in_flight;
  account_ = nullptr;
  money_ = {};
  tokens_ = used_ = 0;
  has_turned_ = false;
  counted_.clear();
}

Reservation::Reservation(AccountPtr account, Money money) : account_(std::move(account)), money_(money) {
  account_->held += money_;
  ++account_->reservations;
}

Reservation::~Reservation() {
  if (!account_) return;
  account_->held -= money_;
  --account_->reservations;
}

std::optional<RateShown> shown_requests(Account& account, Instant now) { return shown(account.windows.requests, now); }
std::optional<RateShown> shown_tokens(Account& account, Instant now) { return shown(account.windows.tokens, now); }

}  // namespace proxyxai
