#pragma once

#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "proxyxai/base/clock.hpp"

namespace proxyxai {

/// A refusal of ours, as it will be answered: `{"error":{"message","type","param","code"}}` (http/handler.hpp renders it).
struct ApiError {
  unsigned status = 500;
  std::string_view code;         ///< Stable reason token, e.g. `invalid_api_key`; static storage.
  std::string message;
  std::string param;             ///< The field at fault; empty = null.
  bool final = false;            ///< Waiting cannot mend it: sends `x-should-retry: false`.
  std::optional<milliseconds> retry_after = std::nullopt;  ///< When to come back: sends `retry-after` and `retry-after-ms`.
};

/// A refusal from within a transaction, which it undoes.
class Refused : public std::exception {
 public:
  explicit Refused(ApiError error) : error_(std::move(error)) {}
  [[nodiscard]] const ApiError& error() const { return error_; }
  [[nodiscard]] const char* what() const noexcept override { return error_.message.c_str(); }

 private:
  ApiError error_;
};

}  // namespace proxyxai
