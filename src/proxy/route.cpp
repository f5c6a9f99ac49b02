#include "proxyxai/proxy/route.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/http/query.hpp"

namespace proxyxai {
namespace {

/// Longer names stand before their own beginnings.
constexpr std::array<std::string_view, 28> endpoints{
    "other",        "chat/completions",    "completions",  "responses",     "embeddings",     "moderations",
    "audio/speech", "audio/transcriptions", "audio/translations", "images/generations", "images/edits", "images/variations",
    "files",        "uploads",             "batches",      "models",        "fine_tuning",    "assistants",
    "threads",      "vector_stores",       "conversations", "containers",   "evals",          "realtime",
    "videos",       "chat",                "audio",        "images"};

/// Paths that act for the whole of the operator's account, or mint credentials that would pass by this proxy.
constexpr std::array<std::string_view, 13> operator_paths{
    "organization", "organizations", "projects", "usage", "billing", "me", "realtime/client_secrets",
    "realtime/translations/client_secrets", "realtime/calls", "fine_tuning/checkpoints", "realtime/sessions", "realtime/transcription_sessions",
    "chatkit/sessions"};

/// Ours under another name: never upstream's business.
constexpr std::array<std::string_view, 2> own_paths{"dashboard", "v1"};

constexpr bool is_unreserved(char c) {
  const char lower = to_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/// Whether a character that needs no encoding is written encoded (RFC 3986 section 6.2.2.2): `%63hat` is `chat` to upstream.
bool hides_plain_characters(std::string_view path) {
  for (auto at = path.find('%'); at != path.npos && at + 2 < path.size(); at = path.find('%', at + 1)) {
    const std::string one = percent_decode(path.substr(at, 3));
    if (one.size() == 1 && is_unreserved(one[0])) return true;
  }
  return false;
}

/// What a lenient server could read as another path than it seems: parameters, a query, double encoding, blank segments.
bool is_ambiguous(std::string_view path) {
  static constexpr std::array<std::string_view, 7> marks{"%25", "%3b", "%3B", "%3f", "%3F", "%23", "/%20"};
  if (path.find(';') != path.npos) return true;
  if (path.find('%') == path.npos) return false;
  const auto has = [path](std::string_view mark) { return path.find(mark) != path.npos; };
  return path.starts_with("%20") || std::any_of(marks.begin(), marks.end(), has) || hides_plain_characters(path);
}

template <std::size_t size>
bool is_under_any(std::string_view path, const std::array<std::string_view, size>& names) {
  for (const std::string_view name : names) {
    if (is_under(path, name)) return true;
  }
  return false;
}

/// As the most lenient server could read it: decoded, in lower case, without dots at the end of a segment.
std::string leniently(std::string_view path) {
  std::string out;
  const auto trim = [&out] {
    while (out.ends_with('.') || out.ends_with(' ')) out.pop_back();
  };
  for (const char c : percent_decode(path)) {
    if (c == '/') trim();
    out.push_back(to_lower(c));
  }
  trim();
  return out;
}

/// Plain lower-case paths, which all real ones begin with, read the same however leniently.
bool is_plain(std::string_view path) {
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || c == '/' || c == '_';
    if (!plain) return false;
  }
  return true;
}

}  // namespace

std::span<const std::string_view> endpoint_names() { return endpoints; }

Route find_route(std::string_view path) {
  Route route;
  if (!path.starts_with('/')) return route;
  path.remove_prefix(1);
  const bool versioned = path.starts_with("v1/");
  if (versioned) path.remove_prefix(3);
  for (std::uint8_t i = 1; i < endpoints.size() && route.endpoint == 0; ++i) {
    if (is_under(path, endpoints[i])) route.endpoint = i;
  }
  if (!versioned && route.endpoint == 0) return route;
  route.kind = Route::Kind::api;
  route.add_prefix = !versioned;
  const auto judge = [&route](std::string_view name) {
    if (is_under_any(name, operator_paths)) route.kind = Route::Kind::private_;
    if (is_under_any(name, own_paths) || name.starts_with("x-")) route.kind = Route::Kind::unknown;
  };
  if (is_ambiguous(path)) route.kind = Route::Kind::unknown;
  else if (is_plain(path)) judge(path);
  else judge(leniently(path));
  return route;
}

}  // namespace proxyxai
