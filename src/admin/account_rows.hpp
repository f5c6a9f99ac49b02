#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "proxyxai/accounts/service.hpp"
#include "proxyxai/http/handler.hpp"

/// Accounts as JSON. Pure; any thread.
namespace proxyxai {

/// A row of a listing: everything but the key.
nlohmann::ordered_json render_account(const AccountRow& row);
/// Of that row what `fields` of a change have touched.
nlohmann::ordered_json render_touched(const AccountRow& row, const std::vector<std::string>& fields);

/// The answers to changes.
std::string render_added(const AccountOutcome& outcome);
std::string render_updated(const AccountOutcome& outcome, const std::vector<std::string>& fields);
std::string render_deleted(const AccountOutcome& outcome);
std::string render_rotated(const AccountOutcome& outcome, const char* action, const std::string& timestamp);

/// What an account is shown of itself, without its usage.
nlohmann::ordered_json render_own(const AccountRow& row, const std::vector<CardRow>& cards);

/// JSON text of it; bytes that are no UTF-8 become U+FFFD.
std::string to_text(const nlohmann::ordered_json& json);
ApiResponse to_answer(const nlohmann::ordered_json& json);

}  // namespace proxyxai
