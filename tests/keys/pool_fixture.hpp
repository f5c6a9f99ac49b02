#pragma once

#include "proxyxai/keys/pool.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "support/fake_clock.hpp"

namespace proxyxai {

/// A pool whose time stands still, and short ways to use it. Key 0 stands for "none".
class PoolTest : public testing::Test {
 protected:
  static constexpr const char* chat = "chat/completions";

  PoolTest() { watch(); }

  KeyPool& pool() { return *owned; }

  void watch() {
    pool().on_change([this](KeyId id, const KeyHealth& health) { changes.emplace_back(id, health); });
  }
  /// Starts again with other settings.
  void set(KeyPool::Settings settings) {
    owned = std::make_unique<KeyPool>(clock, settings);
    watch();
  }

  static UpstreamKeyPtr key(KeyId id, unsigned weight = 1, int level = 0, KeyQuota quota = {}) {
    auto made = std::make_shared<UpstreamKey>();
    made->id = id;
    made->secret = Secret("sk-" + std::to_string(id));
    made->authorization = "Bearer sk-" + std::to_string(id);
    made->weight = weight;
    made->level = level;
    made->quota = quota;
    return made;
  }
  void add(KeyId id, unsigned weight = 1, int level = 0) { pool().put(key(id, weight, level), std::nullopt); }
  void add_limited(KeyId id, KeyQuota quota) { pool().put(key(id, 1, 0, quota), std::nullopt); }
  void add_keys(KeyId count) {
    for (KeyId id = 1; id <= count; ++id) add(id);
  }

  KeyPool::Choice choice(std::string_view model = "m", const std::vector<KeyId>& tried = {},
                         std::string_view endpoint = chat) {
    return pool().choose({model, endpoint, tried});
  }
  KeyId choose(std::string_view model = "m", const std::vector<KeyId>& tried = {}, std::string_view endpoint = chat) {
    const auto found = choice(model, tried, endpoint);
    return found.lease ? found.lease->id : 0;
  }
  bool untried_left(const std::vector<KeyId>& tried = {}, std::string_view model = "m") {
    return pool().untried_left({model, chat, tried});
  }

  static Attempt attempt(KeyId id, Fault fault, std::string reason = {}) {
    Attempt made;
    made.key = id;
    made.fault = fault;
    made.reason = std::move(reason);
    return made;
  }
  void report(KeyId id, Fault fault, std::string_view model = "m") { pool().report(attempt(id, fault), model, chat); }
  void limit_rate(KeyId id, std::optional<milliseconds> after, std::string_view model = "m") {
    Attempt made = attempt(id, Fault::rate_limited, "rate_limit_exceeded");
    made.retry_after = after;
    pool().report(made, model, chat);
  }
  void deny(KeyId id, Scope scope, std::string_view model, std::string_view endpoint) {
    Attempt made = attempt(id, Fault::no_access, "model_not_found");
    made.scope = scope;
    pool().report(made, model, endpoint);
  }
  /// One request that ends so; returns its key.
  KeyId use(Fault fault = Fault::none, std::string_view model = "m") {
    const KeyId id = choose(model);
    if (id != 0) report(id, fault, model);
    return id;
  }
  /// How often each key served `count` good requests.
  std::map<KeyId, int> serve(int count, std::string_view model = "m") {
    std::map<KeyId, int> shares;
    for (int i = 0; i < count; ++i) ++shares[use(Fault::none, model)];
    return shares;
  }

  KeyState state(KeyId id) { return pool().health(id).value().state; }
  std::optional<milliseconds> left(KeyId id) {
    const auto until = pool().health(id).value().until;
    if (!until) return std::nullopt;
    return *until - clock.wall_now();
  }

  FakeClock clock;
  std::unique_ptr<KeyPool> owned = std::make_unique<KeyPool>(clock, KeyPool::Settings{});
  std::vector<std::pair<KeyId, KeyHealth>> changes;
};

inline void PrintTo(KeyState state, std::ostream* out) { *out << to_string(state); }

}  // namespace proxyxai
