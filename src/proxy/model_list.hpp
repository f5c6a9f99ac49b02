#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/proxy/request_context.hpp"

namespace proxyxai {

/// The largest list of models that is read.
inline constexpr std::size_t most_model_list = 4 << 20;

/// True for the answer of `GET /v1/models` to an account that may not see all of them.
bool is_filtered_list(const RequestContext& request);

/// The fine-tuned models in the list, which belong to whoever trained them.
std::vector<std::string> tuned_models(std::string_view body);

/// The list without what the account may not use and what is `hidden`; nullopt: it is no list.
std::optional<std::string> filter_models(std::string_view body, const Account& account, const std::set<std::string>& hidden);

}  // namespace proxyxai
