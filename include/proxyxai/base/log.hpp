#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace proxyxai {

/// Sends spdlog's default logger to standard error on a thread of its own: a full disk or a slow terminal never stops the
/// loop, at the worst the oldest lines are lost. Levels: trace, debug, info, warn, error. Call once, from main.
void start_logging(std::string_view level, bool json);
void set_log_level(std::string_view level);
/// Writes out what waits, if somebody takes it, and ends the thread.
void stop_logging();

/// For tasks whose end nobody waits for: what one ended with goes to the log as `{what} failed and will be tried again`. Null: nothing.
void log_failure(std::string_view what, const std::exception_ptr& failure);

/// `text` with everything that looks like a key replaced: `sk-***`, `Bearer ***`. The last line of defence; secrets are
/// not meant to get this far.
std::string mask_keys(std::string_view text);

/// Appends `text` as the inside of a JSON string: control characters, quotes, backslashes and bytes that are no UTF-8
/// escaped.
void append_json_text(std::string& out, std::string_view text);

}  // namespace proxyxai
