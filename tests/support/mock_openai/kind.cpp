#include "kind.hpp"

#include <random>

namespace mock {

std::string make_id(std::string_view prefix, unsigned tail) {
  static std::mt19937_64 random = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  static constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::uniform_int_distribution<std::size_t> any(0, letters.size() - 1);
  std::string id(prefix);
  for (unsigned i = 0; i < tail; ++i) id.push_back(letters[any(random)]);
  return id;
}

}  // namespace mock
