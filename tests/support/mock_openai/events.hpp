#pragma once

#include "request.hpp"

namespace mock {

/// A server-sent event of a `data:` line alone.
std::string bare_event(const ordered_json& data);
/// One with an `event:` line, which says the data's `type`.
std::string named_event(const ordered_json& data);

/// A stream of these; the last one ends it, and is left out for `x-mock-no-done`.
Answer stream_of(const Request& request, std::vector<std::string> events);
/// As many bytes of events as asked for, made while they are sent.
Answer long_stream(std::uint64_t bytes);

/// The text of one content event.
std::string word(std::uint64_t index, std::uint64_t pad = 0);
/// With `x-mock-obfuscation`: adds the padding that upstream hides lengths with.
void obfuscate(ordered_json& event, const Request& request, std::uint64_t index);

}  // namespace mock
