#pragma once

#include <memory>

#include "proxyxai/accounts/ledger.hpp"
#include "proxyxai/base/metrics.hpp"
#include "proxyxai/metering/prices.hpp"
#include "proxyxai/proxy/request_context.hpp"
#include "proxyxai/storage/object_store.hpp"

namespace proxyxai {

/// What a request may cost, what it has cost, and that it is written down: the money of the request path. Loop thread only.
class Billing {
 public:
  struct Settings {
    Money call_min_balance = dollars(1);   ///< CALL_MIN_BALANCE
    Money hold_cap = dollars(10);          ///< HOLD_CAP: the most that one request reserves at its start.
    Money hold_step{20'000'000};           ///< HOLD_STEP: what a stream reserves more at a time.
    bool refuses_unknown_models = false;   ///< UNKNOWN_MODELS
  };
  Billing(Ledger& ledger, Metrics& metrics, Clock& clock, Settings settings);

  void set_prices(std::shared_ptr<const PriceTable> prices) { prices_ = std::move(prices); }
  [[nodiscard]] const PriceTable& prices() const { return *prices_; }
  [[nodiscard]] bool is_healthy() const { return ledger_.is_healthy(); }

  /// Reserves what the request may come to; the refusal when the account does not have it.
  std::optional<ApiError> hold(RequestContext& request) const;
  /// Before more of a stream passes: false when the account's credit has run out.
  bool covers_delivered(RequestContext& request) const;

  /// Writes down what the request has used, once; returns when it is stored. False: it could not be. Must come before the last byte
  /// of an answer that costs anything.
  Task<bool> bill(RequestContext& request);
  /// The same for what nobody waits for: refused, failed and abandoned requests. Gives the hold back.
  void settle(RequestContext& request);
  /// What a WebSocket has been sent: writes down what a response has used. False: it could not be. Must come before the event passes.
  Task<bool> bill_event(RequestContext& request, const EventUsage& event);
  /// Before more of a WebSocket passes, either way: reserves what the turn may come to; false when the account's credit has run out.
  bool covers_socket(RequestContext& request) const;

  /// What the request is known to have used when nothing more is told: its prompt, and what was delivered.
  static Usage known_usage(const RequestContext& request);
  /// Writes down what work has used whose request ended long ago, and ends its PendingBill with it. `least`: what it costs at
  /// least. False: it could not be.
  Task<bool> bill_pending(AccountPtr account, PendingBill bill, Usage usage, std::string model, Money least);

 private:
  [[nodiscard]] const Price& price_of(RequestContext& request, std::string_view told) const;
  [[nodiscard]] UsageRow new_row(const RequestContext& request, const Usage& usage) const;
  /// `model`: the word of the one that answered; 0: it is not known.
  UsageRow row_of(RequestContext& request, std::int64_t model);
  UsageRow row_of_turn(RequestContext& request, const Usage& usage, const Price& price);
  struct Counters {
    Counter &input, &output, &cost;
  };
  Counters& counters_of(const Price& price);
  void count(const Price& price, const Usage& usage, Money cost);

  Ledger& ledger_;
  Metrics& metrics_;
  Clock& clock_;
  const Settings settings_;
  std::shared_ptr<const PriceTable> prices_;
  TextMap<Counters> counters_;  // by the model of a price
  mutable std::vector<std::string> warned_;  // models without a price, each told once
};

}  // namespace proxyxai
