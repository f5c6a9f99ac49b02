#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/base/cidr.hpp"

namespace proxyxai {

/// What an account may reach, ready to be asked. Immutable; any thread.
class AccessRules {
 public:
  AccessRules() = default;
  /// From the stored lists, each of words separated by spaces; an empty list allows everything. Words that are not well formed
  /// allow nothing.
  AccessRules(std::string_view ips, std::string_view models, std::string_view resources);

  /// A range with a leading `-` takes out what others allow.
  [[nodiscard]] bool allows_address(std::string_view address) const {
    return !denied_.contains(address) && (!addresses_ || addresses_->contains(address));
  }
  /// A pattern ends in `*`; one with a leading `-` takes out what others allow.
  [[nodiscard]] bool allows_model(std::string_view model) const;
  [[nodiscard]] bool limits_models() const { return !models_.empty(); }
  /// A resource allows its path and what is below it, with or without `/v1`.
  [[nodiscard]] bool allows_path(std::string_view path) const;

 private:
  std::optional<CidrList> addresses_;
  CidrList denied_;
  std::vector<std::string> models_, resources_;
};

/// How `AllowIPs` and `DenyIPs` of a change act on a stored list. On a fault, `bad` names the word. `*` allows every address;
/// denied, it leaves loopback only, and so does denying the last range of a list.
std::optional<std::string> change_addresses(std::string_view stored, std::string_view allow, std::string_view deny, std::string& bad);
/// The same for `AllowModels` and `DenyModels`. Denied `*` leaves nothing.
std::optional<std::string> change_models(std::string_view stored, std::string_view allow, std::string_view deny, std::string& bad);
/// `Resources`: paths such as `/v1/chat/completions`, or `*`.
std::optional<std::string> check_resources(std::string_view given, std::string& bad);

/// True for a pattern that is `model`, or ends in `*` and is its beginning.
bool matches_pattern(std::string_view pattern, std::string_view model);

/// The words of a list.
std::vector<std::string> words_of(std::string_view list);

}  // namespace proxyxai
