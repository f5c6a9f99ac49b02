#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxyxai/base/money.hpp"
#include "proxyxai/base/utc_day.hpp"

namespace proxyxai {

/// What the ledger says of one upstream key. It is of single requests: days, which outlive them, know no key.
struct KeyLedger {
  struct Tokens {
    UtcDay day = 0;
    std::string model;                 ///< Empty: not known.
    std::int64_t requests = 0, input = 0, cached = 0, output = 0;  ///< Of requests that used tokens.
  };
  struct Cost {
    UtcDay day = 0;
    Money list_cost;
  };
  std::optional<std::string> partial;  ///< Of the stored key; nullopt: there is no such key any more.
  std::string provider;                ///< Empty: that of keys that name none.
  bool has_requests = false;           ///< Of this key, at any time.
  std::optional<UtcDay> first_day;     ///< Of the oldest request that is kept, of any key.
  bool has_forgotten = false;          ///< Older ones were there.
  std::vector<Tokens> tokens;          ///< By day and model; not of audio and images, which are counted in other units.
  std::vector<Cost> costs;             ///< By day, of all requests.
};

/// Reads one snapshot of the database in `directory`, which a daemon may be using: the requests of `key` from the day `since` to
/// before the day `until`. Throws Failure when there is no database, or its schema is not this program's.
KeyLedger read_key_ledger(const std::string& directory, std::int64_t key, UtcDay since, UtcDay until);

}  // namespace proxyxai
