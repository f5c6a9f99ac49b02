#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxyxai/base/money.hpp"
#include "proxyxai/base/text_hash.hpp"
#include "proxyxai/metering/usage.hpp"

namespace proxyxai {

/// The list price of one model. Prices of tokens are nano-dollars for a million tokens; a column that has none falls back as
/// it says. Immutable.
struct Price {
  std::string model;                       ///< The table's entry.
  std::int64_t input = 0, output = 0;
  std::optional<std::int64_t> cached;      ///< Else `input`.
  std::optional<std::int64_t> cache_write; ///< Else `input`.
  std::optional<std::int64_t> audio_input, image_input;    ///< Else `input`.
  std::optional<std::int64_t> audio_output, image_output;  ///< Else `output`.
  std::optional<std::int64_t> second;      ///< Nano-dollars for a second of audio.
  std::optional<std::int64_t> million_characters;
  std::map<std::string, std::int64_t> images;  ///< Nano-dollars for an image, by `quality/size`, `size`, `quality` or `default`.

  /// Factors in thousandths by service tier (`flex`, `batch`, `priority`).
  std::map<std::string, std::int64_t> tiers;
  /// Above this many input tokens the whole request is long.
  std::optional<std::int64_t> long_from;
  std::int64_t long_input = 1000, long_output = 1000;  ///< Factors in thousandths for long requests.

  std::int64_t max_output = 0;             ///< Output tokens a request that names no maximum may come to; for holds.
};

/// Prices as data (config/prices.json). Immutable once loaded; any thread.
class PriceTable {
 public:
  /// `text`: the JSON of a price file; `overrides`: another whose entries replace those of the same name, or empty. Throws
  /// Failure naming the entry, the field and what is allowed.
  static std::shared_ptr<const PriceTable> parse(std::string_view text, std::string_view overrides = {});

  /// By exact name, then by the longest entry that `model` continues with `-`, `:`, `@` or a dated suffix; a fine-tuned `ft:base:...` as its
  /// base. Null: unknown.
  [[nodiscard]] const Price* find(std::string_view model) const;
  /// For models the table does not know.
  [[nodiscard]] const Price& fallback() const { return fallback_; }

  [[nodiscard]] const std::vector<Price>& all() const { return prices_; }
  /// How many of the names come from the overrides, aliases too.
  [[nodiscard]] std::size_t overridden() const { return overridden_; }
  /// The table as JSON for `GET /x-prices`: dollars, as the file writes them.
  [[nodiscard]] const std::string& json() const { return json_; }

 private:
  [[nodiscard]] const Price* find_longest(std::string_view model) const;

  std::vector<Price> prices_;      // by name
  TextMap<std::size_t> places_;    // of names in prices_: each request asks
  Price fallback_;
  std::size_t overridden_ = 0;
  std::string json_;
};

/// What `usage` costs at `price` for an account of rate `rate`: exact until one rounding, half up, at the end. Never
/// negative; parts larger than their totals count as the totals.
Money cost_of(const Usage& usage, const Price& price, Rate rate = list_rate);

}  // namespace proxyxai
