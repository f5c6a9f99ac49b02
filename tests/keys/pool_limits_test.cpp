#include "keys/pool_fixture.hpp"

namespace proxyxai {
namespace {

/// Limits that the operator sets.
class Limits : public PoolTest {
 protected:
  KeyPool::Choice choice_of(std::int64_t tokens) { return pool().choose({.model = "m", .endpoint = chat, .tokens = tokens}); }
  /// How long until a request of so many tokens may look again; nothing: there is a key, whose request has ended.
  std::optional<milliseconds> waits(std::int64_t tokens = 0) {
    const auto found = choice_of(tokens);
    if (found.lease) return std::nullopt;
    if (!found.ready_at) return milliseconds{-1};
    return std::chrono::duration_cast<milliseconds>(*found.ready_at - clock.now());
  }
};

TEST_F(Limits, of_requests_pass_a_key_over_until_its_window_frees) {
  add_limited(1, {.rpm = 2});
  EXPECT_EQ(choose(), 1);
  EXPECT_EQ(choose(), 1);
  const auto wait = waits();
  ASSERT_TRUE(wait);
  EXPECT_GT(*wait, seconds{60});
  EXPECT_LE(*wait, seconds{120});
  EXPECT_EQ(choose("other"), 0) << "they are the key's, not a model's";
  clock.advance(*wait - milliseconds{1});
  EXPECT_EQ(waits(), milliseconds{1});
  clock.advance(milliseconds{1});
  EXPECT_EQ(choose(), 1);
  EXPECT_EQ(choose(), 0);
}

TEST_F(Limits, of_one_key_leave_the_others_to_serve_evenly) {
  add_keys(2);
  add_limited(3, {.rpm = 5});
  const auto shares = serve(205);
  EXPECT_EQ(shares.at(3), 5);
  EXPECT_EQ(shares.at(1), 100);
  EXPECT_EQ(shares.at(2), 100);
  EXPECT_FALSE(untried_left({1, 2}));
}

TEST_F(Limits, tell_the_earliest_return_of_all_keys) {
  add_limited(1, {.rpm = 1});
  add(2);
  EXPECT_EQ(choose(), 1);
  limit_rate(2, seconds{7});
  EXPECT_EQ(waits(), seconds{7});
  limit_rate(2, std::chrono::hours{1});
  EXPECT_GT(*waits(), seconds{60});
  EXPECT_LE(*waits(), seconds{120});
}

TEST_F(Limits, and_cooling_both_count) {
  add_limited(1, {.rpm = 1});
  EXPECT_EQ(choose(), 1);
  const auto by_quota = waits();
  limit_rate(1, seconds{1});
  EXPECT_EQ(waits(), by_quota);
  limit_rate(1, seconds{600});
  EXPECT_EQ(waits(), seconds{600});
}

TEST_F(Limits, of_tokens_count_the_estimate_until_upstream_tells) {
  add_limited(1, {.tpm = 1'000});
  auto first = choice_of(900);
  ASSERT_TRUE(first.lease);
  EXPECT_TRUE(waits(200));
  first.lease.used(50);
  EXPECT_FALSE(waits(200));
  EXPECT_FALSE(waits(750));
  EXPECT_TRUE(waits(1));
}

TEST_F(Limits, of_tokens_count_what_was_more_than_expected) {
  add_limited(1, {.tpm = 1'000});
  choice_of(10).lease.used(5'000);
  const auto wait = waits(10);
  ASSERT_TRUE(wait);
  EXPECT_GT(*wait, seconds{60});
  EXPECT_FALSE(waits(0)) << "what uses no tokens passes";
}

TEST_F(Limits, of_tokens_let_a_request_that_is_larger_pass_alone) {
  add_limited(1, {.tpm = 1'000});
  EXPECT_FALSE(waits(50'000));
  const auto wait = waits(1);
  ASSERT_TRUE(wait);
  clock.advance(*wait);
  EXPECT_FALSE(waits(1));
  EXPECT_TRUE(waits(50'000));
}

TEST_F(Limits, of_concurrency_last_as_long_as_the_leases) {
  add_limited(1, {.concurrency = 2});
  auto first = choice(), second = choice();
  ASSERT_TRUE(first.lease && second.lease);
  EXPECT_EQ(waits(), milliseconds{50}) << "nobody knows, so look again soon";
  first.lease.end();
  EXPECT_FALSE(first.lease);
  EXPECT_FALSE(waits());
  auto third = choice();
  EXPECT_TRUE(waits());
  second.lease.end();
  second.lease.end();
  EXPECT_FALSE(waits());
  EXPECT_FALSE(waits()) << "ended twice is ended once";
}

TEST_F(Limits, of_concurrency_move_with_the_lease) {
  add_limited(1, {.concurrency = 1});
  KeyLease held = choice().lease;
  KeyLease moved = std::move(held);
  EXPECT_TRUE(waits());
  held = std::move(moved);
  EXPECT_EQ(held->id, 1);
  EXPECT_TRUE(waits());
  held = KeyLease();
  EXPECT_FALSE(waits());
}

TEST_F(Limits, can_be_set_changed_and_lifted) {
  add(1);
  KeyLease held = choice().lease;
  add_limited(1, {.concurrency = 1});
  EXPECT_TRUE(waits()) << "what is in flight counts already";
  held.used(1'000'000);
  held.end();
  EXPECT_FALSE(waits());
  add_limited(1, {.rpm = 2, .tpm = 10});
  EXPECT_FALSE(waits()) << "one has been counted";
  EXPECT_TRUE(waits());
  add_limited(1, {.rpm = 3});
  EXPECT_FALSE(waits());
  EXPECT_TRUE(waits());
  add(1);
  EXPECT_FALSE(waits());
}

TEST_F(Limits, hold_for_the_key_of_last_resort_too) {
  add_limited(1, {.concurrency = 1});
  add(2);
  report(1, Fault::upstream);
  report(2, Fault::none);
  report(1, Fault::upstream);
  report(1, Fault::upstream);
  ASSERT_EQ(state(1), KeyState::resting);
  report(2, Fault::dead);
  const auto held = choice();
  ASSERT_TRUE(held.lease);
  EXPECT_FALSE(choice().lease);
}

class Leases : public PoolTest {};

TEST_F(Leases, outlive_the_key_its_replacement_and_the_pool) {
  add_limited(1, {.tpm = 100, .concurrency = 1});
  add(2);
  auto held = choice();
  ASSERT_EQ(held.lease->id, 1);
  pool().put(key(1, 1, 3, {.tpm = 100, .concurrency = 1}), std::nullopt);
  EXPECT_EQ(held.lease->level, 0);
  EXPECT_EQ(choose("m", {2}), 2) << "the place is taken on another level as well";
  pool().remove(1);
  held.lease.used(5);
  EXPECT_EQ(held.lease->secret.reveal(), "sk-1");
  add_limited(1, {.concurrency = 1});
  const auto again = choice("m", {2});
  ASSERT_TRUE(again.lease) << "added again, it is another key";
  held.lease.end();
  EXPECT_EQ(choose("m", {2}), 2) << "the end of the old lease frees nothing of the new key's";
  auto last = choice();
  ASSERT_TRUE(last.lease);
  owned.reset();
  last.lease.end();
}

TEST_F(Leases, are_not_needed_by_keys_without_limits) {
  add_keys(3);
  std::vector<KeyLease> held;
  for (int i = 0; i < 301; ++i) held.push_back(choice().lease);
  std::map<KeyId, int> shares;
  for (const KeyLease& each : held) ++shares[each->id];
  EXPECT_EQ(shares, (std::map<KeyId, int>{{1, 101}, {2, 100}, {3, 100}}));
  held[0].used(10);
}

}  // namespace
}  // namespace proxyxai
