#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "proxyxai/base/attempt.hpp"
#include "proxyxai/base/clock.hpp"
#include "proxyxai/keys/pool.hpp"

namespace proxyxai {

/// Both clocks read at one moment, to turn deadlines into calendar time and back.
struct Moment {
  Instant now;
  WallTime wall;

  [[nodiscard]] WallTime to_wall(Instant instant) const;
  [[nodiscard]] Instant to_instant(WallTime time) const;
};

/// What a key may do for one request.
struct Access {
  enum class Kind : std::uint8_t { usable, cooling, excluded };
  Kind kind = Kind::usable;
  Instant until{};                   ///< End of the cooling.
};

/// The narrowed rights of one key: models it cools for, models and endpoints it is excluded from. Each kind is bounded,
/// since the subjects come from requests. A key without limits costs no look-up.
class KeyLimits {
 public:
  static constexpr std::size_t max_subjects = 256;
  static constexpr std::size_t max_subject_length = 256;

  [[nodiscard]] Access access(std::string_view model, std::string_view endpoint, Instant now) const;

  /// How long a key cools that was refused for its rate.
  struct Pace {
    std::optional<milliseconds> told;  ///< By upstream.
    milliseconds first{};              ///< Otherwise; doubles with each cooling that follows without a success between.
  };
  /// True when the key now cools longer than before; a later end is never replaced by an earlier one.
  bool cool(std::string_view model, const Pace& pace, std::string_view reason, const Moment& moment);
  /// The upstream has said that nothing is left until then; not stored.
  void pass_over(std::string_view model, Instant until, const Moment& moment);
  /// A success: coolings that follow begin short again.
  void succeeded(std::string_view model, Instant now);

  bool exclude(Scope scope, std::string_view subject, std::string_view reason, const Moment& moment);
  /// True when there were exclusions.
  bool lift_exclusions();

  void restore(const std::vector<KeyLimit>& limits, const Moment& moment);
  /// Those in force, in a stable order; `transient` adds what is not stored.
  [[nodiscard]] std::vector<KeyLimit> list(const Moment& moment, bool transient) const;

 private:
  struct Cooling {
    Instant until = Instant::min();
    Instant zero_until = Instant::min();  ///< Known to be at zero until then.
    milliseconds length{};                ///< Last length that was ours to choose.
    std::string reason;
    WallTime since{};
    WallTime zero_since{};
    [[nodiscard]] Instant end() const { return until > zero_until ? until : zero_until; }
  };
  struct Exclusion {
    std::string reason;
    WallTime since{};
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <typename Value>
  using Map = std::unordered_map<std::string, Value, Hash, std::equal_to<>>;

  Cooling* cooling_for(std::string_view model);
  static bool add(Map<Exclusion>& to, std::string_view subject, std::string_view reason, WallTime since);

  Map<Cooling> coolings_;
  Map<Exclusion> models_;
  Map<Exclusion> endpoints_;
};

}  // namespace proxyxai
