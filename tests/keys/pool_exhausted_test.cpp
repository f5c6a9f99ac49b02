#include "keys/pool_fixture.hpp"

namespace proxyxai {
namespace {

class Exhausted : public PoolTest {
 protected:
  Exhausted() { add_keys(2); }

  void exhaust(KeyId id) { pool().report(attempt(id, Fault::exhausted, "insufficient_quota"), "m", chat); }
  std::vector<KeyId> due() {
    std::vector<KeyId> ids;
    for (const auto& key : pool().due_probes()) ids.push_back(key->id);
    return ids;
  }
  void probe(KeyId id, Fault fault) { pool().report_probe(attempt(id, fault, "insufficient_quota")); }
  using Ids = std::vector<KeyId>;
};

TEST_F(Exhausted, keys_are_out_for_every_model) {
  exhaust(1);
  EXPECT_EQ(state(1), KeyState::exhausted);
  EXPECT_EQ(pool().health(1).value().reason, "insufficient_quota");
  EXPECT_EQ(left(1), seconds{300});
  EXPECT_EQ(serve(4, "x"), (std::map<KeyId, int>{{2, 4}}));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].second.state, KeyState::exhausted);
}

TEST_F(Exhausted, all_keys_means_none_at_all) {
  exhaust(1);
  exhaust(2);
  const auto found = choice();
  EXPECT_FALSE(found.lease);
  EXPECT_FALSE(found.ready_at);
}

TEST_F(Exhausted, keys_are_due_for_a_probe_once) {
  exhaust(1);
  EXPECT_EQ(due(), Ids{});
  clock.advance(milliseconds{299'999});
  EXPECT_EQ(due(), Ids{});
  clock.advance(milliseconds{1});
  EXPECT_EQ(due(), Ids{1});
  clock.advance(std::chrono::hours{10});
  EXPECT_EQ(due(), Ids{});
}

TEST_F(Exhausted, keys_are_due_in_order) {
  exhaust(2);
  clock.advance(seconds{10});
  exhaust(1);
  clock.advance(seconds{290});
  EXPECT_EQ(due(), Ids{2});
  clock.advance(seconds{10});
  EXPECT_EQ(due(), Ids{1});
}

TEST_F(Exhausted, probes_come_half_as_often_after_each_failure_down_to_six_hours) {
  exhaust(1);
  for (const int minutes : {10, 20, 40, 80, 160, 320, 360, 360}) {
    clock.advance(*left(1));
    ASSERT_EQ(due(), Ids{1});
    probe(1, Fault::exhausted);
    EXPECT_EQ(left(1), std::chrono::minutes{minutes});
    EXPECT_EQ(state(1), KeyState::exhausted);
    EXPECT_EQ(pool().health(1).value().reason, "insufficient_quota");
  }
}

TEST_F(Exhausted, keys_are_healed_by_a_good_probe) {
  exhaust(1);
  clock.advance(seconds{300});
  ASSERT_EQ(due(), Ids{1});
  probe(1, Fault::none);
  EXPECT_EQ(state(1), KeyState::active);
  EXPECT_EQ(left(1), std::nullopt);
  EXPECT_EQ(changes.back().second.state, KeyState::active);
  EXPECT_EQ(serve(10), (std::map<KeyId, int>{{1, 5}, {2, 5}}));
}

TEST_F(Exhausted, keys_are_not_healed_by_a_request_that_was_under_way) {
  exhaust(1);
  report(1, Fault::none);
  report(1, Fault::caller);
  report(1, Fault::upstream);
  EXPECT_EQ(state(1), KeyState::exhausted);
}

TEST_F(Exhausted, wait_no_longer_for_requests_refused_together) {
  exhaust(1);
  exhaust(1);
  exhaust(1);
  EXPECT_EQ(left(1), seconds{300});
  EXPECT_EQ(changes.size(), 1U);
}

TEST_F(Exhausted, wait_the_same_again_when_a_probe_told_nothing) {
  for (const Fault fault : {Fault::upstream, Fault::overloaded, Fault::ours, Fault::rate_limited, Fault::no_access}) {
    exhaust(1);
    clock.advance(seconds{300});
    ASSERT_EQ(due(), Ids{1});
    probe(1, fault);
    EXPECT_EQ(state(1), KeyState::exhausted) << to_string(fault);
    EXPECT_EQ(left(1), seconds{300}) << to_string(fault);
    clock.advance(seconds{300});
    ASSERT_EQ(due(), Ids{1});
    probe(1, Fault::none);
    report(1, Fault::none);
  }
}

TEST_F(Exhausted, wait_longer_when_the_probe_was_too_kind) {
  exhaust(1);
  clock.advance(seconds{300});
  ASSERT_EQ(due(), Ids{1});
  probe(1, Fault::none);
  exhaust(1);
  EXPECT_EQ(left(1), seconds{600});
  clock.advance(seconds{600});
  ASSERT_EQ(due(), Ids{1});
  probe(1, Fault::none);
  report(1, Fault::none);
  exhaust(1);
  EXPECT_EQ(left(1), seconds{300});
}

TEST_F(Exhausted, an_asked_for_probe_heals_and_leaves_the_schedule_alone) {
  exhaust(1);
  clock.advance(seconds{100});
  probe(1, Fault::exhausted);
  EXPECT_EQ(left(1), seconds{200});
  clock.advance(seconds{200});
  EXPECT_EQ(due(), Ids{1});
  probe(1, Fault::exhausted);
  probe(1, Fault::none);
  EXPECT_EQ(state(1), KeyState::active);
  clock.advance(std::chrono::hours{10});
  EXPECT_EQ(due(), Ids{});
}

TEST_F(Exhausted, a_probe_may_find_worse) {
  exhaust(1);
  exhaust(2);
  clock.advance(seconds{300});
  ASSERT_EQ(due().size(), 2U);
  probe(1, Fault::dead);
  probe(2, Fault::suspended);
  EXPECT_EQ(state(1), KeyState::dead);
  EXPECT_EQ(state(2), KeyState::disabled);
}

TEST_F(Exhausted, a_probe_finds_an_active_key_out) {
  probe(1, Fault::exhausted);
  EXPECT_EQ(state(1), KeyState::exhausted);
  EXPECT_EQ(left(1), seconds{300});
  probe(2, Fault::upstream);
  EXPECT_EQ(state(2), KeyState::active);
  probe(99, Fault::dead);
}

TEST_F(Exhausted, a_good_probe_ends_a_rest) {
  for (int i = 0; i < 3; ++i) {
    report(1, Fault::upstream);
    report(2, Fault::none);
  }
  ASSERT_EQ(state(1), KeyState::resting);
  probe(1, Fault::none);
  EXPECT_EQ(state(1), KeyState::active);
}

TEST_F(Exhausted, keys_that_are_removed_or_disabled_are_not_probed) {
  exhaust(1);
  exhaust(2);
  pool().remove(1);
  pool().set_enabled(2, false, "operator");
  clock.advance(std::chrono::hours{1});
  EXPECT_EQ(due(), Ids{});
}

TEST_F(Exhausted, half_open_requests_may_find_a_key_out) {
  for (int i = 0; i < 3; ++i) {
    report(1, Fault::upstream);
    report(2, Fault::none);
  }
  clock.advance(seconds{15});
  ASSERT_EQ(choose(), 1);
  exhaust(1);
  EXPECT_EQ(state(1), KeyState::exhausted);
  EXPECT_EQ(serve(3), (std::map<KeyId, int>{{2, 3}}));
}

}  // namespace
}  // namespace proxyxai
