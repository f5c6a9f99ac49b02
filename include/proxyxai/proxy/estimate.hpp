#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "proxyxai/metering/prices.hpp"
#include "proxyxai/proxy/request_context.hpp"

namespace proxyxai {

/// What a request uses by all that is known of it here, before upstream tells and where it does not. Loop thread.

/// Whether the answer to the request may cost something; all others only pass.
bool costs_money(const RequestContext& request);
bool is_transcription(std::string_view endpoint);
/// The model that upstream takes where a request names none; empty: it takes none.
std::string_view default_model(std::string_view endpoint);

/// Input tokens that the text of a request comes to; more likely too many than too few when `generous`.
std::int64_t estimate_input(const RequestFacts& facts, bool generous);

/// No count of tokens is larger.
inline constexpr std::int64_t most_tokens = 1'000'000'000;

/// What the request alone says it will use; its output is not known. More likely too much than too little when `generous`.
Usage usage_asked_for(const RequestContext& request, bool generous);
/// How many answers upstream makes for one request.
std::int64_t choices_of(const RequestContext& request);
/// The tier that was asked for, where it makes the request dearer: that it became cheaper is upstream's to say. The request has its price.
std::string dearer_tier(const RequestContext& request);
/// What it has used, now that its answer has come or broken off: upstream's numbers, and an estimate where there are none, which depends on
/// what `price` counts.
Usage usage_of(const RequestContext& request, const Price& price);
/// What a WebSocket has used since upstream told its usage last. Generous: what it may have, which is to be reserved.
Usage pending_turn(const RequestContext& request, bool generous);

}  // namespace proxyxai
