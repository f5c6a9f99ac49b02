#include "keys/pool_fixture.hpp"

namespace proxyxai {
namespace {

class Cooling : public PoolTest {
 protected:
  Cooling() { add(1); }
  /// How long key 1 still cools.
  std::optional<milliseconds> cools(std::string_view model = "m") {
    const auto found = choice(model);
    if (found.lease) {
      report(found.lease->id, Fault::client_gone, model);
      return std::nullopt;
    }
    if (!found.ready_at) return milliseconds{-1};
    return std::chrono::duration_cast<milliseconds>(*found.ready_at - clock.now());
  }
};

TEST_F(Cooling, is_for_the_model_only) {
  limit_rate(1, seconds{3});
  EXPECT_EQ(choose("m"), 0);
  EXPECT_EQ(choose("other"), 1);
  EXPECT_EQ(choose(""), 1);
  EXPECT_EQ(state(1), KeyState::active);
}

TEST_F(Cooling, ends_at_its_instant) {
  limit_rate(1, seconds{3});
  clock.advance(milliseconds{2'999});
  EXPECT_EQ(cools(), milliseconds{1});
  clock.advance(milliseconds{1});
  EXPECT_EQ(choose(), 1);
}

TEST_F(Cooling, is_lengthened_but_never_shortened) {
  limit_rate(1, seconds{3});
  limit_rate(1, seconds{1});
  EXPECT_EQ(cools(), seconds{3});
  limit_rate(1, std::nullopt);
  EXPECT_EQ(cools(), seconds{3});
  const WallTime began = clock.wall_now();
  clock.advance(seconds{1});
  limit_rate(1, seconds{4});
  EXPECT_EQ(cools(), seconds{4});
  EXPECT_EQ(pool().health(1).value().limits.at(0).since, began);
}

TEST_F(Cooling, is_at_most_a_day) {
  limit_rate(1, std::chrono::hours{1000});
  EXPECT_EQ(cools(), std::chrono::hours{24});
}

TEST_F(Cooling, of_requests_without_a_model_is_their_own) {
  limit_rate(1, seconds{3}, "");
  EXPECT_EQ(choose(""), 0);
  EXPECT_EQ(choose("m"), 1);
}

TEST_F(Cooling, tells_the_earliest_return_of_all_keys) {
  add(2);
  add(3, 1, 1);
  limit_rate(1, seconds{30});
  limit_rate(2, seconds{20});
  limit_rate(3, seconds{10});
  EXPECT_EQ(cools(), seconds{10});
  EXPECT_FALSE(untried_left());
}

TEST_F(Cooling, grows_by_default_until_a_success) {
  for (const int expected : {1, 2, 4, 8, 16, 32, 60, 60}) {
    limit_rate(1, std::nullopt);
    EXPECT_EQ(cools(), seconds{expected});
    clock.advance(seconds{expected});
  }
  report(1, Fault::none);
  limit_rate(1, std::nullopt);
  EXPECT_EQ(cools(), seconds{1});
}

TEST_F(Cooling, begins_short_again_after_a_success_while_it_lasts) {
  limit_rate(1, std::nullopt);
  clock.advance(seconds{1});
  limit_rate(1, std::nullopt);
  report(1, Fault::none);
  clock.advance(seconds{2});
  limit_rate(1, std::nullopt);
  EXPECT_EQ(cools(), seconds{1});
}

TEST_F(Cooling, grows_for_each_model_alone) {
  limit_rate(1, std::nullopt, "a");
  clock.advance(seconds{1});
  limit_rate(1, std::nullopt, "a");
  limit_rate(1, std::nullopt, "b");
  EXPECT_EQ(cools("a"), seconds{2});
  EXPECT_EQ(cools("b"), seconds{1});
  report(1, Fault::none, "b");
  clock.advance(seconds{2});
  limit_rate(1, std::nullopt, "a");
  EXPECT_EQ(cools("a"), seconds{4});
}

TEST_F(Cooling, grows_once_for_requests_refused_together) {
  for (int i = 0; i < 50; ++i) limit_rate(1, std::nullopt);
  EXPECT_EQ(cools(), seconds{1});
}

TEST_F(Cooling, without_a_wait_is_by_default) {
  limit_rate(1, milliseconds{0});
  EXPECT_EQ(cools(), seconds{1});
}

TEST_F(Cooling, survives_the_success_of_a_request_under_way) {
  limit_rate(1, seconds{5});
  report(1, Fault::none);
  EXPECT_EQ(cools(), seconds{5});
}

TEST_F(Cooling, is_listed_and_reported_while_it_lasts) {
  limit_rate(1, seconds{5});
  const WallTime began = clock.wall_now();
  clock.advance(seconds{1});
  const auto limits = pool().health(1).value().limits;
  ASSERT_EQ(limits.size(), 1U);
  EXPECT_EQ(limits[0].kind, KeyLimit::Kind::cooling);
  EXPECT_EQ(limits[0].subject, "m");
  EXPECT_EQ(limits[0].reason, "rate_limit_exceeded");
  EXPECT_EQ(limits[0].since, began);
  EXPECT_EQ(limits[0].until, began + seconds{5});
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].second.limits.size(), 1U);
  clock.advance(seconds{4});
  EXPECT_TRUE(pool().health(1).value().limits.empty());
}

TEST_F(Cooling, is_not_reported_when_nothing_changed) {
  limit_rate(1, seconds{5});
  limit_rate(1, seconds{2});
  EXPECT_EQ(changes.size(), 1U);
}

TEST_F(Cooling, is_bounded_and_drops_what_ends_first) {
  for (int i = 0; i < 256; ++i) limit_rate(1, seconds{1000 - i}, "m" + std::to_string(i));
  limit_rate(1, seconds{2000}, "one more");
  EXPECT_EQ(pool().health(1).value().limits.size(), 256U);
  EXPECT_EQ(cools("m255"), std::nullopt);
  EXPECT_EQ(cools("m254"), seconds{746});
  EXPECT_EQ(cools("one more"), seconds{2000});
}

TEST_F(Cooling, ignores_models_with_endless_names) {
  limit_rate(1, seconds{5}, std::string(100'000, 'x'));
  EXPECT_TRUE(pool().health(1).value().limits.empty());
}

class ZeroRemaining : public Cooling {};

TEST_F(ZeroRemaining, passes_the_key_over_until_the_reset) {
  add(2);
  pool().note_zero_remaining(1, "m", seconds{6});
  EXPECT_EQ(serve(10), (std::map<KeyId, int>{{2, 10}}));
  EXPECT_EQ(choose("other"), 1);
  const auto limits = pool().health(1).value().limits;
  ASSERT_EQ(limits.size(), 1U);
  EXPECT_EQ(limits[0].reason, "no_capacity");
  clock.advance(seconds{6});
  EXPECT_EQ(serve(10), (std::map<KeyId, int>{{1, 5}, {2, 5}}));
  EXPECT_TRUE(pool().health(1).value().limits.empty());
}

TEST_F(ZeroRemaining, is_at_most_a_minute_and_not_stored) {
  pool().note_zero_remaining(1, "m", std::chrono::hours{1});
  EXPECT_EQ(cools(), seconds{60});
  EXPECT_TRUE(changes.empty());
  limit_rate(1, seconds{5}, "other");
  ASSERT_EQ(changes.size(), 1U);
  ASSERT_EQ(changes[0].second.limits.size(), 1U);
  EXPECT_EQ(changes[0].second.limits[0].subject, "other");
}

TEST_F(ZeroRemaining, is_not_shortened_by_a_later_answer) {
  pool().note_zero_remaining(1, "m", seconds{6});
  pool().note_zero_remaining(1, "m", seconds{2});
  EXPECT_EQ(cools(), seconds{6});
}

TEST_F(ZeroRemaining, outlasts_the_success_that_told_it) {
  pool().note_zero_remaining(1, "m", seconds{6});
  report(1, Fault::none);
  EXPECT_EQ(cools(), seconds{6});
}

TEST_F(ZeroRemaining, neither_shortens_nor_is_shortened_by_a_cooling) {
  limit_rate(1, seconds{10});
  pool().note_zero_remaining(1, "m", seconds{2});
  EXPECT_EQ(cools(), seconds{10});
  pool().note_zero_remaining(1, "m", seconds{20});
  EXPECT_EQ(cools(), seconds{20});
  limit_rate(1, seconds{12});
  EXPECT_EQ(cools(), seconds{20});
}

TEST_F(ZeroRemaining, of_a_reset_that_is_past_is_nothing) {
  pool().note_zero_remaining(1, "m", milliseconds{0});
  pool().note_zero_remaining(1, "m", milliseconds{-5});
  pool().note_zero_remaining(99, "m", seconds{5});
  EXPECT_EQ(cools(), std::nullopt);
}

}  // namespace
}  // namespace proxyxai
