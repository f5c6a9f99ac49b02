#include "keys/pool_fixture.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

/// ROUTING=cache_aware.
class Affinity : public PoolTest {
 protected:
  Affinity() { set({.routing = KeyPool::Routing::cache_aware}); }

  KeyPool::Choice choice_for(std::uint64_t prompt, const std::vector<KeyId>& tried = {}) {
    return pool().choose({.model = "m", .endpoint = chat, .tried = tried, .prompt = prompt});
  }
  /// The key of a prompt while nothing else is in flight.
  KeyId home(std::uint64_t prompt, const std::vector<KeyId>& tried = {}) {
    const auto found = choice_for(prompt, tried);
    return found.lease ? found.lease->id : 0;
  }
  std::map<std::uint64_t, KeyId> homes(std::uint64_t prompts) {
    std::map<std::uint64_t, KeyId> result;
    for (std::uint64_t prompt = 1; prompt <= prompts; ++prompt) result[prompt] = home(prompt);
    return result;
  }
  static std::map<KeyId, int> count(const std::map<std::uint64_t, KeyId>& homes) {
    std::map<KeyId, int> shares;
    for (const auto& [prompt, key] : homes) ++shares[key];
    return shares;
  }
};

TEST_F(Affinity, sends_a_prompt_to_the_same_key) {
  add_keys(7);
  const KeyId first = home(42);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(home(42), first);
  serve(10);
  EXPECT_EQ(home(42), first);
}

TEST_F(Affinity, sends_other_prompts_to_all_keys) {
  add_keys(10);
  const auto shares = count(homes(10'000));
  ASSERT_EQ(shares.size(), 10u);
  for (const auto& [key, share] : shares) {
    EXPECT_GT(share, 400) << key;
    EXPECT_LT(share, 2'000) << key;
  }
}

TEST_F(Affinity, gives_a_heavier_key_more) {
  for (KeyId id = 1; id <= 20; ++id) add(id, id <= 10 ? 1 : 3);
  int light = 0, heavy = 0;
  for (const auto& [key, share] : count(homes(10'000))) (key <= 10 ? light : heavy) += share;
  EXPECT_NEAR(static_cast<double>(heavy) / light, 3, 0.8);
}

TEST_F(Affinity, does_not_change_over_a_restart) {
  add_keys(5);
  const auto before = homes(100);
  set({.routing = KeyPool::Routing::cache_aware});
  for (const KeyId id : {4, 2, 5, 1, 3}) add(id);
  EXPECT_EQ(homes(100), before);
}

TEST_F(Affinity, moves_only_the_share_of_a_key_that_comes_or_goes) {
  add_keys(10);
  const auto before = homes(2'000);
  pool().remove(4);
  for (const auto& [prompt, key] : homes(2'000)) {
    if (before.at(prompt) == 4) EXPECT_NE(key, 4);
    else EXPECT_EQ(key, before.at(prompt));
  }
  add(4);
  EXPECT_EQ(homes(2'000), before);
  add(11);
  for (const auto& [prompt, key] : homes(2'000)) EXPECT_TRUE(key == 11 || key == before.at(prompt));
}

TEST_F(Affinity, moves_only_the_share_of_a_key_that_is_out_of_use) {
  add_keys(5);
  const auto before = homes(500);
  const auto expect_others_stay = [&](const char* why) {
    for (const auto& [prompt, key] : homes(500)) {
      if (before.at(prompt) == 3) EXPECT_NE(key, 3) << why;
      else EXPECT_EQ(key, before.at(prompt)) << why;
    }
  };
  limit_rate(3, seconds{10});
  expect_others_stay("cooling");
  clock.advance(seconds{10});
  EXPECT_EQ(homes(500), before);
  report(3, Fault::exhausted);
  expect_others_stay("exhausted");
  pool().report_probe(attempt(3, Fault::none));
  EXPECT_EQ(homes(500), before);
  pool().set_enabled(3, false, "operator");
  expect_others_stay("disabled");
  pool().set_enabled(3, true, {});
  pool().put(key(3, 2), std::nullopt);
  pool().put(key(3, 1), std::nullopt);
  EXPECT_EQ(homes(500), before);
}

TEST_F(Affinity, walks_on_from_a_key_that_was_tried) {
  add_keys(5);
  const KeyId first = home(42), second = home(42, {first});
  EXPECT_NE(second, first);
  EXPECT_EQ(home(42, {first}), second);
  EXPECT_NE(home(42, {first, second}), 0);
  const auto again = choice_for(42, {1, 2, 3, 4, 5});
  EXPECT_TRUE(again.lease);
  EXPECT_TRUE(again.tried_before);
}

TEST_F(Affinity, stays_on_the_lowest_usable_level) {
  add(1, 1, 0);
  add(2, 1, 0);
  for (KeyId id = 3; id <= 20; ++id) add(id, 1, 1);
  for (const auto& [prompt, key] : homes(100)) EXPECT_LE(key, 2);
  limit_rate(1, seconds{10});
  limit_rate(2, seconds{10});
  const auto above = homes(100);
  for (const auto& [prompt, key] : above) EXPECT_GE(key, 3);
  EXPECT_EQ(homes(100), above);
}

TEST_F(Affinity, spills_over_when_its_key_is_busier_than_others_by_much) {
  add_keys(4);
  const KeyId first = home(42);
  std::vector<KeyLease> held;
  std::map<KeyId, int> shares;
  for (int i = 0; i < 100; ++i) {
    held.push_back(choice_for(42).lease);
    ++shares[held.back()->id];
    EXPECT_LE(shares[first], std::max(1.25 * (i + 1) / 4, (i + 1) / 4.0 + 2)) << "of " << i + 1;
  }
  EXPECT_GE(shares[first], 25);
  EXPECT_EQ(shares.size(), 4u);
  held.clear();
  EXPECT_EQ(home(42), first);
}

TEST_F(Affinity, counts_only_what_is_in_flight_on_keys_of_the_level) {
  add_keys(4);
  const KeyId first = home(42);
  std::vector<KeyLease> held;
  for (int i = 0; i < 12; ++i) held.push_back(choice().lease);
  const KeyId other = first == 1 ? 2 : 1;
  pool().put(key(other, 1, 1), std::nullopt);
  pool().remove(first == 4 ? 3 : 4);
  // Six are in flight on the two keys that are left. Of ten the share is five, and two may come over it.
  for (int i = 0; i < 4; ++i) {
    held.push_back(choice_for(42).lease);
    EXPECT_EQ(held.back()->id, first) << i;
  }
  EXPECT_NE(home(42), first);
  held.clear();
  pool().put(key(other, 1, 0), std::nullopt);
  for (int i = 0; i < 3; ++i) {
    held.push_back(choice_for(42).lease);
    EXPECT_EQ(held.back()->id, first) << "three: two over a share of one";
  }
}

TEST_F(Affinity, leaves_requests_without_a_prompt_in_their_turns) {
  add_keys(4);
  const auto shares = serve(402);
  for (const KeyId id : pool().ids()) EXPECT_NEAR(shares.at(id), 100, 1);
}

TEST_F(Affinity, is_off_by_default) {
  set({});
  add_keys(4);
  std::map<KeyId, int> shares;
  for (int i = 0; i < 100; ++i) ++shares[home(42)];
  EXPECT_EQ(shares, (std::map<KeyId, int>{{1, 25}, {2, 25}, {3, 25}, {4, 25}}));
}

TEST_F(Affinity, copes_with_ten_thousand_keys_that_mostly_cool) {
  add_keys(10'000);
  for (KeyId id = 1; id < 10'000; ++id) limit_rate(id, seconds{60});
  for (std::uint64_t prompt = 1; prompt <= 10; ++prompt) EXPECT_EQ(home(prompt), 10'000);
}

}  // namespace
}  // namespace proxyxai
