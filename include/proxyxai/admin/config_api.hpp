#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "proxyxai/admin/management_api.hpp"
#include "proxyxai/storage/store.hpp"

namespace proxyxai {

/// A setting that root may change while the daemon runs.
struct LiveSetting {
  std::string field;       ///< Its name here and in the store, such as `ModelMapper`.
  std::string initial;     ///< Of environment or file: in force unless root has set another.
  std::function<void(const std::string&)> check;  ///< Throws Failure that says what is wrong with a value: "has no '='".
  std::function<void(const std::string&)> apply;  ///< Puts a value in force that `check` has let pass.
};

/// `/x-config`: root shows and changes such settings. What is set is stored, counts at once, and after a restart goes before the
/// environment. Loop thread only.
class ConfigApi final : public ManagementApi {
 public:
  /// The values that are `initial` must be in force already.
  ConfigApi(ConfigStore& store, std::vector<LiveSetting> settings);

  /// Puts in force what is stored; once, before the first request.
  Task<void> load();

  [[nodiscard]] bool owns(std::string_view path) const override;
  [[nodiscard]] std::size_t max_body(bool is_root) const override { return is_root ? 256 << 10 : 0; }
  Task<ApiResponse> handle(ApiRequest request, AccountPtr caller) override;

 private:
  struct Entry {
    LiveSetting setting;
    std::optional<std::string> set;  // by root
    [[nodiscard]] const std::string& value() const { return set ? *set : setting.initial; }
  };
  Task<ApiResponse> change(ApiRequest request);
  Entry* find(std::string_view field);
  [[nodiscard]] std::string known_fields() const;
  [[nodiscard]] nlohmann::ordered_json show() const;

  ConfigStore& store_;
  std::vector<Entry> entries_;
};

}  // namespace proxyxai
