#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace proxyxai {

/// Which models are served by others: `gpt-3.5*=gpt-4o-mini,gpt-4-32k=gpt-4o`. In a pattern every `*` stands for any
/// characters, or none; the first pattern that a name matches counts, and what it is mapped to is not mapped again. Immutable;
/// any thread.
class ModelMap {
 public:
  static constexpr std::size_t most_entries = 256;

  /// Maps nothing.
  ModelMap() = default;
  /// Reads entries `pattern=name` between commas, of visible ASCII characters, each side at most `max_model` bytes; blanks around
  /// them and empty entries do not count. Throws Failure, which names the entry and says what is wrong with it.
  explicit ModelMap(std::string_view text);

  /// The name to take in place of `model`; null: itself.
  [[nodiscard]] const std::string* find(std::string_view model) const;

 private:
  struct Entry {
    std::string pattern, name;
  };
  std::vector<Entry> entries_;  // as written
};

}  // namespace proxyxai
