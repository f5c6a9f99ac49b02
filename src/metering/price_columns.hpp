#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "proxyxai/metering/prices.hpp"

namespace proxyxai {

/// The columns of a price that may be missing, as the file names them.
struct PriceColumn {
  std::string_view name;
  std::optional<std::int64_t> Price::*value;
};

inline constexpr std::array<PriceColumn, 8> price_columns{{{"cached", &Price::cached},
                                                           {"cache_write", &Price::cache_write},
                                                           {"audio_input", &Price::audio_input},
                                                           {"image_input", &Price::image_input},
                                                           {"audio_output", &Price::audio_output},
                                                           {"image_output", &Price::image_output},
                                                           {"second", &Price::second},
                                                           {"million_characters", &Price::million_characters}}};

}  // namespace proxyxai
