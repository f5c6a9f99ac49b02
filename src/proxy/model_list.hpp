#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "proxyxai/proxy/request_context.hpp"

namespace proxyxai {

/// The largest list of models that is read.
inline constexpr std::size_t most_model_list = 4 << 20;

/// True for the answer of `GET /v1/models` to an account that may not use all of them.
bool is_filtered_list(const RequestContext& request);

/// The list without what the account may not use; nullopt: it is no list.
std::optional<std::string> filter_models(std::string_view body, const Account& account);

}  // namespace proxyxai
