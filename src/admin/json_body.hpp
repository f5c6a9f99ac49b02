#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "proxyxai/base/api_error.hpp"

/// Reading what management calls send. Every fault is thrown as Refused, 400, and names the field. Pure; any thread.
namespace proxyxai {

/// The body as one JSON object: no field twice, nothing nested deeper than any field needs.
nlohmann::json read_object(std::string_view body);

/// Throws unless the body calls itself JSON, or nothing: 415.
void require_json(std::string_view content_type);

[[noreturn]] void refuse_field(const std::string& field, const std::string& what, std::string_view code = "invalid_value");

std::string string_of(const nlohmann::json& value, const std::string& field);
bool bool_of(const nlohmann::json& value, const std::string& field);
/// Also 60.0, which some languages make of 60.
std::int64_t whole_of(const nlohmann::json& value, const std::string& field);
double number_of(const nlohmann::json& value, const std::string& field);
/// A string, or an array of strings, as words separated by spaces.
std::string words_of(const nlohmann::json& value, const std::string& field);

}  // namespace proxyxai
