#pragma once

#include <span>

#include "proxyxai/config/loader.hpp"

namespace proxyxai {

/// A row of the one table that all knowledge of settings stands in.
struct SettingRow : SettingInfo {
  /// Reads `text` into the settings; throws value::BadValue.
  void (*read)(Settings& settings, const std::string& text) = nullptr;
};

std::span<const SettingRow> setting_rows();

}  // namespace proxyxai
