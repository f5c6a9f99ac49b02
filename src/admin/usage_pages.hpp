#pragma once

#include "proxyxai/accounts/service.hpp"
#include "proxyxai/http/handler.hpp"

/// What accounts are shown of themselves and of what they used. Refusals are thrown as Refused. Loop thread only.
namespace proxyxai {

/// `/dashboard/x_user/info`
Task<ApiResponse> show_info(AccountService& accounts, const Clock& clock, AccountPtr caller);
/// `/dashboard/x-user-status`
ApiResponse show_status(const AccountService& accounts, const Account& caller);
/// `/dashboard/x-user-logs`
Task<ApiResponse> show_operations(AccountService& accounts, std::string_view query, AccountPtr caller);
/// `/x-requests`: of the caller and its descendants.
Task<ApiResponse> show_requests(AccountService& accounts, std::string_view query, AccountPtr caller);
/// `/x-bill`: the same.
Task<ApiResponse> show_bill(AccountService& accounts, const Clock& clock, std::string_view query, AccountPtr caller);

}  // namespace proxyxai
