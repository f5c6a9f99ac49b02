#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace proxyxai {

/// Where a path of the API leads. Views live as long as the path they were made from.
struct Route {
  enum class Kind : std::uint8_t {
    api,      ///< Goes upstream.
    private_, ///< Goes upstream for root only: it would show, or hand out, what belongs to the operator.
    unknown,  ///< No such thing here: 404.
  };
  Kind kind = Kind::unknown;
  bool add_prefix = false;        ///< The client left `/v1` out.
  std::uint8_t endpoint = 0;      ///< Index into endpoint_names().
};

/// `path` must have one spelling (has_one_spelling). `/v1/...` and the same without `/v1` are one.
Route find_route(std::string_view path);

/// The classes of paths, for metrics and for what a key may not use: `chat/completions`, `files`, ..., `other` first.
std::span<const std::string_view> endpoint_names();

}  // namespace proxyxai
