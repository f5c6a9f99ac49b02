#pragma once

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace proxyxai {

using Pieces = std::vector<std::string_view>;

/// Calls `use` with `text` whole, byte by byte, split once at every place, and in random pieces.
inline void in_all_pieces(std::string_view text, const std::function<void(const Pieces&)>& use) {
  use({text});
  Pieces bytes;
  for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  use(bytes);
  const std::size_t step = text.size() < 3'000 ? 1 : text.size() / 300;
  for (std::size_t at = 1; at < text.size(); at += step) use({text.substr(0, at), text.substr(at)});
  std::minstd_rand random(7);
  for (int round = 0; round < 50; ++round) {
    Pieces pieces;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t size = 1 + random() % (round < 25 ? 40 : 700);
      pieces.push_back(text.substr(at, size));
      at += pieces.back().size();
    }
    use(pieces);
  }
}

}  // namespace proxyxai
