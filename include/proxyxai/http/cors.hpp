#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/http/handler.hpp"
#include "proxyxai/http/parser.hpp"

namespace proxyxai {

/// What browsers are told (the Fetch standard, "CORS protocol"). Requests without `Origin` get none of it. Loop thread.
class Cors {
 public:
  /// `*`, or the origins that may read answers (CORS_ORIGINS).
  explicit Cors(std::vector<std::string> origins);

  /// Appends the header lines that belong on every answer to `request`.
  void append(std::string& out, const Fields& request) const;
  /// The answer to an OPTIONS request; needs no key.
  [[nodiscard]] static ApiResponse preflight(const Fields& request);

 private:
  bool any_ = false;
  std::vector<std::string> origins_;
};

}  // namespace proxyxai
