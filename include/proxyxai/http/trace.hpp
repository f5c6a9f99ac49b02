#pragma once

#include <string_view>

#include "proxyxai/http/parser.hpp"

namespace proxyxai {

/// The trace id in a `traceparent` field: 32 lower-case hexadecimal digits, not all 0 (W3C Trace Context, 3.2.2). Empty: there is no
/// such field, or it is not valid. The field itself goes to upstream as it came.
std::string_view trace_id(const Fields& fields);

}  // namespace proxyxai
