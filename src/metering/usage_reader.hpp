#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proxyxai/metering/usage.hpp"

namespace proxyxai {

inline constexpr std::int64_t most_counted = 1'000'000'000;  ///< Larger counts are garbage, and are cut to this.

/// Makes one Usage of a `usage` object, whichever of upstream's spellings it has: told the members of the object and of the
/// objects in it that matter. One answer; loop thread.
class UsageReader {
 public:
  /// The object itself, or one in it.
  enum class Part : std::uint8_t { totals, input, cached, output };

  void begin();
  void name(Part part, std::string_view name);
  /// The part that a container at the current member is; nullopt: none that matters. Forgets an earlier one of that name.
  std::optional<Part> inner();
  void scalar(std::string_view text);

  /// False when the object told nothing.
  [[nodiscard]] bool is_given() const;
  /// Replaces the numbers of `usage`, not its tier and kind.
  void write(Usage& usage) const;

 private:
  struct Counts {
    std::int64_t input = 0, output = 0, total = 0, milliseconds = 0;
    std::int64_t cached = 0, cache_write = 0, audio_input = 0, image_input = 0;
    std::int64_t cached_audio = 0, cached_image = 0;
    std::int64_t reasoning = 0, audio_output = 0, image_output = 0;
    bool has_input = false, has_output = false, has_total = false, has_seconds = false;
  };
  void total_name(std::string_view name);
  void input_name(std::string_view name);
  void output_name(std::string_view name);

  Counts counts_;
  std::int64_t* target_ = nullptr;     // where the next scalar goes
  bool* is_known_ = nullptr;           // set when it is a number
  std::optional<Part> inner_;
};

}  // namespace proxyxai
