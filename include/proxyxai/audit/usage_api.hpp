#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxyxai/audit/comparison.hpp"
#include "proxyxai/base/clock.hpp"
#include "proxyxai/base/secret.hpp"

namespace proxyxai {

/// What OpenAI says was used, by its usage and costs API. Blocks the calling thread; one thread at a time.
class UsageApi {
 public:
  struct Settings {
    std::string origin;                ///< `https://host[:port][/prefix]`
    Secret admin_key;                  ///< Of the organisation; an ordinary key may not ask.
    std::string ca_file, proxy;        ///< UPSTREAM_CA_FILE, UPSTREAM_PROXY; empty: none.
    milliseconds connect_timeout{5'000};
  };
  /// What is asked for; empty: all of the organisation.
  struct Scope {
    std::string key, project;          ///< `key_...`, `proj_...`: letters, digits, `-` and `_`.
  };
  explicit UsageApi(Settings settings);
  ~UsageApi();
  UsageApi(const UsageApi&) = delete;
  UsageApi& operator=(const UsageApi&) = delete;

  /// The tokens of completions and embeddings, by day and model, and the costs by day, from the day `since` to before `until`. Costs
  /// are known by project only, not by key. Throws Failure, which says what upstream answered; never with the key.
  UsageBook read(UtcDay since, UtcDay until, const Scope& scope);

 private:
  class Pages;
  std::unique_ptr<Pages> pages_;
};

/// Adds what one page of the API says to `book`, and returns the cursor of the next; empty: it was the last. Throws Failure in words
/// for what is no such page.
std::string read_usage_page(std::string_view text, UsageBook& book);
std::string read_cost_page(std::string_view text, UsageBook& book);

}  // namespace proxyxai
