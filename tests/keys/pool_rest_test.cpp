#include "keys/pool_fixture.hpp"

#include <algorithm>

namespace proxyxai {
namespace {

class Rest : public PoolTest {
 protected:
  /// Sends key 1 to rest while key 2 succeeds.
  void rest_key_1() {
    report(1, Fault::upstream);
    report(2, Fault::none);
    report(1, Fault::upstream);
    pool().report(attempt(1, Fault::upstream, "connect_timeout"), "m", chat);
    ASSERT_EQ(state(1), KeyState::resting);
  }
};

class TwoKeys : public Rest {
 protected:
  TwoKeys() { add_keys(2); }
};

TEST_F(TwoKeys, rest_after_three_strikes_while_others_succeed) {
  const WallTime began = clock.wall_now();
  rest_key_1();
  const auto health = pool().health(1).value();
  EXPECT_EQ(health.reason, "connect_timeout");
  EXPECT_EQ(health.since, began);
  EXPECT_EQ(health.until, began + seconds{15});
  EXPECT_EQ(serve(5), (std::map<KeyId, int>{{2, 5}}));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].first, 1);
  EXPECT_EQ(changes[0].second.state, KeyState::resting);
  EXPECT_EQ(pool().counts()[static_cast<std::size_t>(KeyState::resting)], 1U);
  EXPECT_EQ(pool().counts()[static_cast<std::size_t>(KeyState::active)], 1U);
}

TEST_F(TwoKeys, lose_their_strikes_with_one_success) {
  for (int i = 0; i < 10; ++i) {
    report(1, Fault::upstream);
    report(2, Fault::none);
    report(1, Fault::upstream);
    report(1, i % 2 == 0 ? Fault::none : Fault::caller);
  }
  EXPECT_EQ(state(1), KeyState::active);
  EXPECT_TRUE(changes.empty());
}

TEST_F(TwoKeys, rest_when_their_answers_break_off_however_well_they_begin) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(state(1), KeyState::active);
    report(1, Fault::none);
    pool().report_body(1, false);
    report(2, Fault::none);
    pool().report_body(2, true);
  }
  EXPECT_EQ(state(1), KeyState::resting);
  EXPECT_EQ(pool().health(1).value().reason, "truncated");
}

TEST_F(TwoKeys, are_alive_with_one_whole_answer_between_those_that_break_off) {
  for (int i = 0; i < 10; ++i) {
    for (const bool is_whole : {false, false, true}) {
      report(1, Fault::none);
      pool().report_body(1, is_whole);
      report(2, Fault::none);
    }
  }
  EXPECT_EQ(state(1), KeyState::active);
}

TEST_F(TwoKeys, never_rest_when_the_answers_of_all_break_off) {
  for (int i = 0; i < 50; ++i) {
    for (const KeyId id : {1, 2}) {
      report(id, Fault::none);
      pool().report_body(id, false);
    }
  }
  EXPECT_EQ(state(1), KeyState::active);
  EXPECT_EQ(state(2), KeyState::active);
}

TEST_F(TwoKeys, never_rest_for_what_every_key_gets) {
  report(1, Fault::none);
  report(2, Fault::none);
  for (int i = 0; i < 50; ++i) {
    report(1, Fault::upstream);
    report(2, Fault::upstream);
  }
  EXPECT_EQ(state(1), KeyState::active);
  EXPECT_EQ(state(2), KeyState::active);
  // When upstream comes back for the other only, the fault was the key's after all.
  report(2, Fault::none);
  report(1, Fault::upstream);
  EXPECT_EQ(state(1), KeyState::resting);
}

TEST_F(TwoKeys, never_rest_both) {
  rest_key_1();
  for (int i = 0; i < 10; ++i) {
    report(2, Fault::upstream);
    report(1, Fault::upstream);
  }
  EXPECT_EQ(state(2), KeyState::active);
}

TEST_F(TwoKeys, never_rest_both_for_the_late_success_of_a_disabled_key) {
  add(3);
  rest_key_1();
  pool().set_enabled(3, false, "operator");
  report(2, Fault::upstream);
  report(3, Fault::none);
  for (int i = 0; i < 5; ++i) report(2, Fault::upstream);
  EXPECT_EQ(state(2), KeyState::active);
}

TEST_F(TwoKeys, are_not_struck_by_what_is_nobodys_fault) {
  for (const Fault fault : {Fault::overloaded, Fault::stale_connection, Fault::egress, Fault::client_gone, Fault::ours,
                            Fault::caller, Fault::unknown_model}) {
    for (int i = 0; i < 5; ++i) {
      report(1, fault);
      report(2, Fault::none);
    }
    EXPECT_EQ(state(1), KeyState::active) << to_string(fault);
    EXPECT_TRUE(pool().health(1).value().limits.empty()) << to_string(fault);
    EXPECT_EQ(pool().health(1).value().failures, 0U) << to_string(fault);
  }
  EXPECT_TRUE(changes.empty());
}

TEST_F(Rest, is_not_for_a_single_key) {
  add(1);
  report(1, Fault::none);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(use(Fault::upstream), 1);
  EXPECT_EQ(state(1), KeyState::active);
}

TEST_F(TwoKeys, are_tried_by_one_request_when_the_rest_is_over) {
  rest_key_1();
  clock.advance(milliseconds{14'999});
  EXPECT_EQ(serve(4), (std::map<KeyId, int>{{2, 4}}));
  clock.advance(milliseconds{1});
  EXPECT_EQ(choose(), 1);
  EXPECT_EQ(choose(), 2);
  EXPECT_EQ(choose(), 2);
  EXPECT_EQ(state(1), KeyState::resting);
  report(1, Fault::none);
  EXPECT_EQ(state(1), KeyState::active);
  EXPECT_EQ(pool().health(1).value().reason, "");
  EXPECT_EQ(left(1), std::nullopt);
  EXPECT_EQ(changes.back().second.state, KeyState::active);
}

TEST_F(TwoKeys, serve_even_shares_after_a_rest) {
  serve(10);
  rest_key_1();
  serve(1000);
  clock.advance(seconds{15});
  serve(1);
  ASSERT_EQ(state(1), KeyState::active);
  EXPECT_EQ(serve(100), (std::map<KeyId, int>{{1, 50}, {2, 50}}));
}

TEST_F(TwoKeys, rest_twice_as_long_after_each_failed_try_up_to_ten_minutes) {
  const WallTime began = clock.wall_now();
  rest_key_1();
  for (const int expected : {30, 60, 120, 240, 480, 600, 600}) {
    clock.advance(*left(1));
    ASSERT_EQ(choose(), 1);
    report(1, Fault::upstream);
    EXPECT_EQ(left(1), seconds{expected});
    EXPECT_EQ(pool().health(1).value().since, began);
  }
  clock.advance(seconds{600});
  ASSERT_EQ(choose(), 1);
  report(1, Fault::none);
  rest_key_1();
  EXPECT_EQ(left(1), seconds{15});
}

TEST_F(TwoKeys, need_three_new_strikes_after_a_rest) {
  rest_key_1();
  clock.advance(seconds{15});
  ASSERT_EQ(choose(), 1);
  report(1, Fault::none);
  report(1, Fault::upstream);
  report(2, Fault::none);
  report(1, Fault::upstream);
  EXPECT_EQ(state(1), KeyState::active);
  report(1, Fault::upstream);
  EXPECT_EQ(state(1), KeyState::resting);
}

TEST_F(TwoKeys, rest_no_longer_for_requests_that_were_under_way) {
  rest_key_1();
  for (int i = 0; i < 20; ++i) report(1, Fault::upstream);
  EXPECT_EQ(left(1), seconds{15});
}

TEST_F(TwoKeys, are_healed_by_a_late_success) {
  rest_key_1();
  report(1, Fault::none);
  EXPECT_EQ(state(1), KeyState::active);
}

TEST_F(TwoKeys, free_the_place_of_a_try_that_told_nothing) {
  rest_key_1();
  clock.advance(seconds{15});
  for (const Fault fault :
       {Fault::client_gone, Fault::ours, Fault::overloaded, Fault::stale_connection, Fault::egress}) {
    ASSERT_EQ(choose(), 1) << to_string(fault);
    ASSERT_EQ(choose(), 2);
    report(1, fault);
    EXPECT_EQ(state(1), KeyState::resting) << to_string(fault);
  }
}

TEST_F(TwoKeys, are_healed_by_any_answer_that_shows_life) {
  for (const Fault fault : {Fault::caller, Fault::unknown_model, Fault::rate_limited}) {
    rest_key_1();
    clock.advance(seconds{15});
    ASSERT_EQ(choose("x"), 1);
    report(1, fault, "x");
    EXPECT_EQ(state(1), KeyState::active) << to_string(fault);
    clock.advance(seconds{15});
  }
}

TEST_F(TwoKeys, are_not_tried_out_for_a_model_that_they_cool_for) {
  rest_key_1();
  limit_rate(2, seconds{1});
  report(1, Fault::client_gone);
  clock.advance(seconds{15});
  pool().note_zero_remaining(1, "m", seconds{10});
  EXPECT_EQ(choose("m"), 2);
  EXPECT_EQ(choose("x"), 1);
}

TEST_F(Rest, of_all_keys_gives_the_one_that_returns_first) {
  add_keys(3);
  rest_key_1();
  clock.advance(seconds{1});
  report(2, Fault::upstream);
  report(3, Fault::none);
  report(2, Fault::upstream);
  report(2, Fault::upstream);
  ASSERT_EQ(state(2), KeyState::resting);
  report(3, Fault::dead);
  EXPECT_EQ(choose(), 1);
  EXPECT_EQ(choose(), 1);
  EXPECT_EQ(choose("m", {1}), 2);
  EXPECT_FALSE(untried_left());
  const auto again = choice("m", {1, 2});
  EXPECT_EQ(again.lease->id, 1);
  EXPECT_TRUE(again.tried_before);
  // It was not its turn yet, so a failure changes nothing and a success heals.
  report(1, Fault::upstream);
  EXPECT_EQ(left(1), seconds{14});
  report(1, Fault::none);
  EXPECT_EQ(state(1), KeyState::active);
}

TEST_F(TwoKeys, wait_for_a_cooling_key_that_is_back_soon_rather_than_use_a_resting_one) {
  rest_key_1();
  limit_rate(2, seconds{5});
  const auto found = choice();
  EXPECT_FALSE(found.lease);
  EXPECT_EQ(found.ready_at, clock.now() + seconds{5});
  limit_rate(2, seconds{6});
  EXPECT_EQ(choose(), 1);
}

TEST_F(Rest, of_a_low_level_is_ended_before_its_upper_one_is_used) {
  add(1, 1, 0);
  add(2, 1, 1);
  rest_key_1();
  EXPECT_EQ(choose(), 2);
  clock.advance(seconds{15});
  EXPECT_EQ(choose(), 1);
  EXPECT_EQ(choose(), 2);
}

TEST_F(TwoKeys, untried_left_counts_a_rested_key) {
  rest_key_1();
  EXPECT_FALSE(untried_left({2}));
  clock.advance(seconds{15});
  EXPECT_TRUE(untried_left({2}));
  ASSERT_EQ(choose(), 1);
  EXPECT_FALSE(untried_left({2}));
}

TEST_F(Rest, follows_the_settings) {
  set({.strikes = 1, .rest = seconds{2}});
  add_keys(2);
  report(1, Fault::upstream);
  report(2, Fault::none);
  report(1, Fault::upstream);
  EXPECT_EQ(left(1), seconds{2});
}

TEST_F(TwoKeys, ignore_reports_of_keys_that_are_gone) {
  const KeyLease held = choice().lease;
  pool().remove(held->id);
  report(held->id, Fault::dead);
  EXPECT_EQ(held->secret.reveal(), "sk-1");
  EXPECT_TRUE(changes.empty());
  EXPECT_EQ(pool().ids(), std::vector<KeyId>{2});
}

}  // namespace
}  // namespace proxyxai
