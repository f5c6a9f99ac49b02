#pragma once

#include <functional>
#include <set>
#include <string>

#include "proxyxai/accounts/service.hpp"
#include "proxyxai/admin/management_api.hpp"
#include "proxyxai/keys/seal.hpp"

namespace proxyxai {

/// `/x-users`, `/x-dna`, `/x-self`, `/x-root`, `/x-requests`, `/x-bill`, `/x-prices`, `/dashboard/...`: what callers do to accounts
/// and what they are shown of them. Parse, call AccountService, render; a key is in the answer that makes it and in no other.
/// An account sees itself and what is below it. Loop thread only.
class AccountsApi final : public ManagementApi {
 public:
  struct Parts {
    AccountService& accounts;
    Ledger& ledger;
    const Sealer& sealer;                 ///< Seals kept answers at rest: they hold new keys.
    Clock& clock;
    std::function<std::string()> prices;  ///< The JSON of `/x-prices`.
  };
  explicit AccountsApi(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] bool owns(std::string_view path) const override;
  /// 64 KiB, 1 MiB of root: only it is trusted with the memory.
  [[nodiscard]] std::size_t max_body(bool is_root) const override { return is_root ? 1 << 20 : 64 << 10; }
  Task<ApiResponse> handle(ApiRequest request, AccountPtr caller) override;

 private:
  /// Makes the body of an answer of what was done. Any thread.
  using Render = std::function<std::string(const AccountOutcome&)>;

  /// A call with an idempotency key is under way, until this dies.
  class Turn;
  Task<void> wait_for_turn(const Digest& turn);

  /// Throws when the caller asks for changes faster than the store should have to take them.
  void require_pace(const ApiRequest& request, Account& caller) const;
  Task<ApiResponse> dispatch(ApiRequest request, AccountPtr caller);
  Task<ApiResponse> dashboard(ApiRequest request, AccountPtr caller);
  Task<ApiResponse> users(ApiRequest request, AccountPtr caller);
  Task<ApiResponse> list(ApiRequest request, AccountPtr caller, bool descendants);
  Task<ApiResponse> show(AccountPtr caller, std::string who, bool descendants);
  Task<ApiResponse> add(ApiRequest request, AccountPtr caller);
  Task<ApiResponse> change(ApiRequest request, AccountPtr caller, std::string who);
  Task<ApiResponse> remove(ApiRequest request, AccountPtr caller, std::string who);
  Task<ApiResponse> rotate_self(ApiRequest request, AccountPtr caller);
  Task<ApiResponse> rotate_any(ApiRequest request, AccountPtr caller);

  [[nodiscard]] Once guard(const ApiRequest& request, const Render& render) const;
  [[nodiscard]] ApiResponse answer(const ApiRequest& request, const AccountOutcome& outcome, const Render& render) const;
  [[nodiscard]] ApiResponse repeat(const ApiRequest& request, const std::string& sealed) const;

  Parts parts_;
  std::set<Digest> under_way_;  ///< Of caller and idempotency key.
};

}  // namespace proxyxai
