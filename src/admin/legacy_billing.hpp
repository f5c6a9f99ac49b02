#pragma once

#include "proxyxai/accounts/service.hpp"
#include "proxyxai/http/handler.hpp"

/// OpenAI's billing paths of old, which third-party clients poll to show what is left of a key. Loop thread only.
namespace proxyxai {

/// `subscription`. `month`: the current one.
Task<ApiResponse> show_subscription(AccountService& accounts, std::int32_t month, AccountPtr caller);
/// `usage?start_date=&end_date=`, in cents.
Task<ApiResponse> show_usage(AccountService& accounts, const Clock& clock, std::string_view query, AccountPtr caller);
/// `credit_grants`
Task<ApiResponse> show_credit_grants(AccountService& accounts, AccountPtr caller);

}  // namespace proxyxai
