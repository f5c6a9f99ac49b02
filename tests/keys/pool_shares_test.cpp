#include "keys/pool_fixture.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

/// The least and the most that any of the keys served.
std::pair<int, int> spread(const std::map<KeyId, int>& shares, const std::vector<KeyId>& ids) {
  int least = 1 << 30;
  int most = 0;
  for (const KeyId id : ids) {
    const auto it = shares.find(id);
    const int share = it == shares.end() ? 0 : it->second;
    least = std::min(least, share);
    most = std::max(most, share);
  }
  return {least, most};
}

class Shares : public PoolTest {
 protected:
  void expect_even(const std::map<KeyId, int>& shares) {
    const auto [least, most] = spread(shares, pool().ids());
    EXPECT_GE(least, most - 1);
    EXPECT_EQ(shares.count(0), 0U);
  }
};

class EqualShares : public Shares, public testing::WithParamInterface<int> {};

TEST_P(EqualShares, are_even_after_every_request) {
  add_keys(GetParam());
  std::map<KeyId, int> shares;
  const int rounds = GetParam() >= 1000 ? 3 : 50;
  for (int i = 1; i <= rounds * GetParam() + GetParam() / 2; ++i) {
    ++shares[use()];
    if (GetParam() < 1000 || i % 250 == 0) expect_even(shares);
  }
}

INSTANTIATE_TEST_SUITE_P(Pools, EqualShares, testing::Values(1, 2, 3, 7, 1000));

TEST_F(Shares, follow_the_weights) {
  add(1, 1);
  add(2, 2);
  add(3, 7);
  const auto shares = serve(1000);
  EXPECT_NEAR(shares.at(1), 100, 1);
  EXPECT_NEAR(shares.at(2), 200, 1);
  EXPECT_NEAR(shares.at(3), 700, 1);
}

TEST_F(Shares, are_exact_over_whole_rounds_of_odd_weights) {
  add(1, 3);
  add(2, 7);
  add(3, 11);
  const auto shares = serve(21 * 1000);
  EXPECT_EQ(shares.at(1), 3000);
  EXPECT_EQ(shares.at(2), 7000);
  EXPECT_EQ(shares.at(3), 11000);
}

TEST_F(Shares, spread_a_heavy_key_over_the_round) {
  add(1, 1);
  add(2, 3);
  int run = 0;
  int longest = 0;
  for (int i = 0; i < 100; ++i) {
    run = use() == 2 ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  EXPECT_LE(longest, 4);
}

TEST_F(Shares, take_weights_from_1_to_1000) {
  add(1, 0);
  add(2, 5000);
  const auto shares = serve(2002);
  EXPECT_EQ(shares.at(1), 2);
  EXPECT_EQ(shares.at(2), 2000);
}

TEST_F(Shares, are_even_from_the_moment_a_key_is_added) {
  add_keys(3);
  serve(1000);
  add(4);
  expect_even(serve(1));
  expect_even(serve(403));
  serve(2);
  add(5);
  expect_even(serve(7));
}

TEST_F(Shares, are_even_after_keys_are_removed) {
  add_keys(7);
  serve(10);
  pool().remove(3);
  pool().remove(7);
  expect_even(serve(503));
}

TEST_F(Shares, stay_even_when_a_key_is_put_again) {
  add_keys(3);
  std::map<KeyId, int> shares;
  for (int i = 0; i < 300; ++i) {
    add(1 + i % 3);
    ++shares[use()];
  }
  EXPECT_NEAR(shares[1], 100, 2);
  EXPECT_NEAR(shares[2], 100, 2);
  EXPECT_NEAR(shares[3], 100, 2);
}

TEST_F(Shares, are_even_among_the_others_while_one_cools) {
  add_keys(4);
  limit_rate(2, seconds{60});
  const auto shares = serve(302);
  EXPECT_EQ(shares.count(2), 0U);
  const auto [least, most] = spread(shares, {1, 3, 4});
  EXPECT_GE(least, most - 1);
}

TEST_F(Shares, give_no_arrears_to_a_key_that_cooled) {
  add_keys(3);
  limit_rate(2, seconds{60});
  serve(1001);
  clock.advance(seconds{60});
  expect_even(serve(1));
  expect_even(serve(2));
  expect_even(serve(302));
}

TEST_F(Shares, give_no_arrears_to_many_keys_that_cooled) {
  add_keys(10);
  for (const KeyId id : {1, 3, 5, 7, 9}) limit_rate(id, seconds{60});
  serve(1003);
  clock.advance(seconds{60});
  expect_even(serve(503));
}

TEST_F(Shares, give_no_arrears_to_a_key_that_was_disabled) {
  add_keys(3);
  pool().set_enabled(2, false, "operator");
  EXPECT_EQ(serve(600).count(2), 0U);
  pool().set_enabled(2, true, {});
  expect_even(serve(301));
}

TEST_F(Shares, give_no_arrears_after_a_level_was_empty) {
  add(1);
  serve(100);
  pool().set_enabled(1, false, "operator");
  add(2);
  pool().set_enabled(1, true, {});
  expect_even(serve(51));
}

TEST_F(Shares, survive_two_of_three_keys_failing) {
  add_keys(3);
  int failed = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<KeyId> tried;
    KeyId id = choose();
    while (id != 1 && tried.size() < 5) {
      report(id, Fault::upstream);
      tried.push_back(id);
      ++failed;
      id = choose("m", tried);
    }
    ASSERT_EQ(id, 1) << "request " << i;
    report(id, Fault::none);
    clock.advance(milliseconds{10});
  }
  EXPECT_EQ(state(2), KeyState::resting);
  EXPECT_EQ(state(3), KeyState::resting);
  EXPECT_GE(failed, 6);
  EXPECT_LE(failed, 8);  // Ten seconds: no half-open request yet.
}

TEST_F(Shares, count_requests_and_failures) {
  add_keys(2);
  for (const Fault fault : {Fault::none, Fault::upstream, Fault::client_gone, Fault::caller, Fault::overloaded}) {
    use(fault);
    use();
  }
  const auto health = pool().health(1).value();
  EXPECT_EQ(health.requests, 5U);
  EXPECT_EQ(health.failures, 1U);
  EXPECT_EQ(health.last_used, clock.wall_now());
  EXPECT_TRUE(changes.empty());
}

class Levels : public PoolTest {
 protected:
  Levels() {
    add(1, 1, 0);
    add(2, 1, 0);
    add(3, 1, 5);
    add(4, 1, -1);
  }
};

TEST_F(Levels, are_used_lowest_first) {
  const auto shares = serve(10);
  EXPECT_EQ(shares.at(4), 10);
}

TEST_F(Levels, give_way_to_the_next_when_none_is_usable) {
  limit_rate(4, seconds{60});
  EXPECT_EQ(serve(10), (std::map<KeyId, int>{{1, 5}, {2, 5}}));
  limit_rate(1, seconds{60});
  limit_rate(2, seconds{30});
  EXPECT_EQ(choose(), 3);
  clock.advance(seconds{30});
  EXPECT_EQ(choose(), 2);
}

TEST_F(Levels, give_an_untried_key_of_the_next_before_a_tried_one) {
  EXPECT_EQ(choose("m", {4, 1, 2}), 3);
  EXPECT_TRUE(untried_left({4, 1, 2}));
}

TEST_F(Levels, can_be_changed) {
  pool().put(key(3, 1, -1), std::nullopt);
  EXPECT_EQ(serve(10), (std::map<KeyId, int>{{3, 5}, {4, 5}}));
  EXPECT_EQ(pool().size(), 4U);
}

TEST_F(Levels, have_each_their_own_turns) {
  limit_rate(4, std::chrono::hours{1});
  serve(1000);
  pool().put(key(2, 1, 5), std::nullopt);
  pool().set_enabled(1, false, "operator");
  EXPECT_EQ(serve(100), (std::map<KeyId, int>{{2, 50}, {3, 50}}));
}

class Tried : public PoolTest {};

TEST_F(Tried, keys_are_given_again_only_when_no_other_is_left) {
  add_keys(3);
  std::vector<KeyId> tried;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(untried_left(tried));
    const auto found = choice("m", tried);
    ASSERT_TRUE(found.lease);
    EXPECT_FALSE(found.tried_before);
    EXPECT_EQ(std::count(tried.begin(), tried.end(), found.lease->id), 0);
    tried.push_back(found.lease->id);
  }
  EXPECT_FALSE(untried_left(tried));
  const auto again = choice("m", tried);
  ASSERT_TRUE(again.lease);
  EXPECT_TRUE(again.tried_before);
}

TEST_F(Tried, keys_do_not_hide_that_the_others_are_unusable) {
  add_keys(2);
  limit_rate(2, seconds{60});
  EXPECT_FALSE(untried_left({1}));
  const auto again = choice("m", {1});
  EXPECT_EQ(again.lease->id, 1);
  EXPECT_TRUE(again.tried_before);
}

TEST_F(Tried, nothing_at_all_in_an_empty_pool) {
  const auto found = choice();
  EXPECT_FALSE(found.lease);
  EXPECT_FALSE(found.ready_at);
  EXPECT_FALSE(untried_left());
}

}  // namespace
}  // namespace proxyxai
