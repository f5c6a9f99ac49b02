#include "keys/pool_fixture.hpp"

namespace proxyxai {
namespace {

class Health : public PoolTest {
 protected:
  Health() { add_keys(2); }
  KeyHealth health(KeyState state, std::optional<milliseconds> until = {}) {
    KeyHealth made;
    made.state = state;
    made.reason = "stored";
    made.since = clock.wall_now() - seconds{100};
    if (until) made.until = clock.wall_now() + *until;
    return made;
  }
};

TEST_F(Health, names_every_state) {
  for (const KeyState each :
       {KeyState::active, KeyState::resting, KeyState::exhausted, KeyState::dead, KeyState::disabled}) {
    EXPECT_EQ(parse_key_state(to_string(each)), each);
  }
  EXPECT_EQ(parse_key_state("Active"), std::nullopt);
  EXPECT_EQ(parse_key_state(""), std::nullopt);
}

TEST_F(Health, of_a_new_key_is_good) {
  const auto found = pool().health(1).value();
  EXPECT_EQ(found.state, KeyState::active);
  EXPECT_EQ(found.reason, "");
  EXPECT_EQ(found.until, std::nullopt);
  EXPECT_EQ(found.requests, 0U);
  EXPECT_EQ(found.last_used, std::nullopt);
  EXPECT_EQ(pool().health(3), std::nullopt);
  EXPECT_EQ(pool().find(3), nullptr);
  EXPECT_EQ(pool().find(2)->id, 2);
}

TEST_F(Health, of_a_dead_key_is_final_but_listed) {
  pool().report(attempt(1, Fault::dead, "invalid_api_key"), "m", chat);
  EXPECT_EQ(serve(4), (std::map<KeyId, int>{{2, 4}}));
  report(1, Fault::none);
  report(1, Fault::caller);
  pool().report_probe(attempt(1, Fault::none));
  pool().set_enabled(1, true, {});
  pool().set_enabled(1, false, "operator");
  const auto found = pool().health(1).value();
  EXPECT_EQ(found.state, KeyState::dead);
  EXPECT_EQ(found.reason, "invalid_api_key");
  EXPECT_EQ(pool().ids(), (std::vector<KeyId>{1, 2}));
  EXPECT_EQ(changes.size(), 1U);
  pool().remove(1);
  EXPECT_EQ(pool().health(1), std::nullopt);
}

TEST_F(Health, of_a_suspended_key_is_disabled_until_the_operator_says_so) {
  pool().report(attempt(1, Fault::suspended, "ip_not_authorized"), "m", chat);
  EXPECT_EQ(state(1), KeyState::disabled);
  EXPECT_EQ(pool().health(1).value().reason, "ip_not_authorized");
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].second.reason, "ip_not_authorized");
  report(1, Fault::none);
  report(1, Fault::exhausted);
  pool().report_probe(attempt(1, Fault::none));
  EXPECT_EQ(state(1), KeyState::disabled);
  pool().set_enabled(1, true, {});
  EXPECT_EQ(state(1), KeyState::active);
  EXPECT_EQ(pool().health(1).value().reason, "");
  EXPECT_EQ(changes.size(), 2U);
}

TEST_F(Health, tells_a_change_by_the_operator_once) {
  pool().set_enabled(1, true, {});
  EXPECT_TRUE(changes.empty());
  pool().set_enabled(1, false, "operator");
  pool().set_enabled(1, false, "operator");
  EXPECT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].second.reason, "operator");
  pool().set_enabled(99, false, "operator");
  EXPECT_EQ(changes.size(), 1U);
}

TEST_F(Health, forgets_strikes_when_a_key_is_enabled) {
  report(1, Fault::upstream);
  report(2, Fault::none);
  report(1, Fault::upstream);
  pool().set_enabled(1, false, "operator");
  pool().set_enabled(1, true, {});
  report(1, Fault::upstream);
  report(2, Fault::none);
  EXPECT_EQ(state(1), KeyState::active);
}

TEST_F(Health, is_reported_to_a_callback_that_uses_the_pool) {
  pool().on_change([this](KeyId id, const KeyHealth& found) {
    if (found.state == KeyState::dead) pool().remove(id);
  });
  report(1, Fault::dead);
  EXPECT_EQ(pool().ids(), std::vector<KeyId>{2});
  deny(2, Scope::model, "x", chat);
  pool().on_change([this](KeyId id, const KeyHealth&) { pool().remove(id); });
  pool().lift_exclusions();
  EXPECT_EQ(pool().size(), 0U);
}

TEST_F(Health, counts_the_keys_in_each_state) {
  add(3);
  add(4);
  report(1, Fault::dead);
  report(2, Fault::exhausted);
  report(3, Fault::suspended);
  EXPECT_EQ(pool().counts(), (std::array<std::size_t, 5>{1, 0, 1, 1, 1}));
  pool().remove(2);
  add(1);
  EXPECT_EQ(pool().counts(), (std::array<std::size_t, 5>{1, 0, 0, 1, 1}));
}

class Exclusion : public Health {};

TEST_F(Exclusion, is_for_one_model_on_every_endpoint) {
  deny(1, Scope::model, "m", chat);
  EXPECT_EQ(serve(4, "m"), (std::map<KeyId, int>{{2, 4}}));
  EXPECT_EQ(choose("m", {}, "embeddings"), 2);
  EXPECT_EQ(serve(3, "x").count(1), 1U);
  EXPECT_EQ(state(1), KeyState::active);
}

TEST_F(Exclusion, is_for_one_endpoint_with_every_model) {
  deny(1, Scope::endpoint, "m", "files");
  EXPECT_EQ(choose("x", {}, "files"), 2);
  EXPECT_EQ(choose("y", {}, "files"), 2);
  EXPECT_EQ(serve(3).count(1), 1U);
}

TEST_F(Exclusion, of_every_key_leaves_none_and_nothing_to_wait_for) {
  deny(1, Scope::model, "m", chat);
  deny(2, Scope::model, "m", chat);
  const auto found = choice("m");
  EXPECT_FALSE(found.lease);
  EXPECT_FALSE(found.ready_at);
}

TEST_F(Exclusion, is_listed_stored_and_lifted) {
  deny(1, Scope::model, "m", chat);
  deny(1, Scope::endpoint, "m", "files");
  deny(1, Scope::endpoint, "m", "files");
  ASSERT_EQ(changes.size(), 2U);
  const auto& limits = changes[1].second.limits;
  ASSERT_EQ(limits.size(), 2U);
  EXPECT_EQ(limits[0].kind, KeyLimit::Kind::excluded_model);
  EXPECT_EQ(limits[0].subject, "m");
  EXPECT_EQ(limits[0].reason, "model_not_found");
  EXPECT_EQ(limits[0].until, std::nullopt);
  EXPECT_EQ(limits[1].kind, KeyLimit::Kind::excluded_endpoint);
  EXPECT_EQ(limits[1].subject, "files");
  pool().lift_exclusions();
  ASSERT_EQ(changes.size(), 3U);  // Of key 1 only.
  EXPECT_TRUE(changes[2].second.limits.empty());
  EXPECT_EQ(serve(4, "m"), (std::map<KeyId, int>{{1, 2}, {2, 2}}));
}

TEST_F(Exclusion, does_not_end_a_cooling_when_lifted) {
  limit_rate(1, seconds{10});
  deny(1, Scope::model, "x", chat);
  pool().lift_exclusions();
  EXPECT_EQ(serve(2), (std::map<KeyId, int>{{2, 2}}));
}

TEST_F(Exclusion, of_what_was_not_named_excludes_nothing) {
  deny(1, Scope::model, "", chat);
  deny(1, Scope::endpoint, "m", "");
  EXPECT_TRUE(pool().health(1).value().limits.empty());
}

TEST_F(Exclusion, is_bounded_and_drops_the_oldest) {
  for (int i = 0; i < 300; ++i) {
    deny(1, Scope::model, "m" + std::to_string(i), chat);
    clock.advance(milliseconds{1});
  }
  EXPECT_EQ(pool().health(1).value().limits.size(), 256U);
  report(2, Fault::dead);
  EXPECT_EQ(choose("m43"), 1);
  EXPECT_EQ(choose("m44"), 0);
  EXPECT_EQ(choose("m299"), 0);
}

class Restored : public Health {};

TEST_F(Restored, rest_goes_on_and_ends) {
  pool().put(key(1), health(KeyState::resting, seconds{10}));
  EXPECT_EQ(left(1), seconds{10});
  EXPECT_EQ(serve(2), (std::map<KeyId, int>{{2, 2}}));
  clock.advance(seconds{10});
  EXPECT_EQ(choose(), 1);
  report(1, Fault::upstream);
  EXPECT_EQ(left(1), seconds{30});
}

TEST_F(Restored, rest_that_is_past_is_over) {
  pool().put(key(1), health(KeyState::resting, seconds{-1}));
  EXPECT_EQ(state(1), KeyState::active);
  EXPECT_EQ(pool().health(1).value().reason, "");
  EXPECT_EQ(serve(2), (std::map<KeyId, int>{{1, 1}, {2, 1}}));
}

TEST_F(Restored, exhausted_key_is_probed_at_its_time_or_at_once) {
  pool().put(key(1), health(KeyState::exhausted, seconds{10}));
  pool().put(key(2), health(KeyState::exhausted, seconds{-10}));
  ASSERT_EQ(pool().due_probes().size(), 1U);
  clock.advance(seconds{10});
  EXPECT_EQ(pool().due_probes().size(), 1U);
  EXPECT_EQ(choose(), 0);
  pool().report_probe(attempt(1, Fault::exhausted));
  EXPECT_EQ(left(1), seconds{600});
}

TEST_F(Restored, dead_and_disabled_keys_stay_so_with_reason_and_since) {
  const auto since = clock.wall_now() - seconds{100};
  pool().put(key(1), health(KeyState::dead));
  pool().put(key(2), health(KeyState::disabled));
  EXPECT_EQ(choose(), 0);
  EXPECT_EQ(state(1), KeyState::dead);
  EXPECT_EQ(state(2), KeyState::disabled);
  EXPECT_EQ(pool().health(2).value().reason, "stored");
  EXPECT_EQ(pool().health(2).value().since, since);
  EXPECT_TRUE(changes.empty());
}

TEST_F(Restored, limits_hold_while_they_last) {
  KeyHealth stored = health(KeyState::active);
  const WallTime now = clock.wall_now();
  stored.limits = {{KeyLimit::Kind::cooling, "soon", "r", now, now + seconds{10}},
                   {KeyLimit::Kind::cooling, "past", "r", now, now - seconds{1}},
                   {KeyLimit::Kind::cooling, "no end", "r", now, std::nullopt},
                   {KeyLimit::Kind::excluded_model, "never", "r", now, std::nullopt},
                   {KeyLimit::Kind::excluded_endpoint, "files", "r", now, std::nullopt}};
  pool().put(key(1), stored);
  report(2, Fault::dead);
  EXPECT_EQ(choose("soon"), 0);
  EXPECT_EQ(choose("past"), 1);
  EXPECT_EQ(choose("no end"), 1);
  EXPECT_EQ(choose("never"), 0);
  EXPECT_EQ(choose("x", {}, "files"), 0);
  clock.advance(seconds{10});
  EXPECT_EQ(choose("soon"), 1);
}

TEST_F(Restored, health_equals_what_was_reported) {
  limit_rate(1, seconds{30}, "a");
  deny(1, Scope::endpoint, "m", "files");
  pool().report(attempt(1, Fault::exhausted, "insufficient_quota"), "m", chat);
  const KeyHealth reported = changes.back().second;
  pool().remove(1);
  pool().put(key(1), reported);
  const KeyHealth found = pool().health(1).value();
  EXPECT_EQ(found.state, reported.state);
  EXPECT_EQ(found.reason, reported.reason);
  EXPECT_EQ(found.since, reported.since);
  EXPECT_EQ(found.until, reported.until);
  EXPECT_EQ(found.failures, 3U);
  ASSERT_EQ(found.limits.size(), 2U);
  EXPECT_EQ(found.limits[0].until, reported.limits[0].until);
}

TEST_F(Restored, endless_times_do_no_harm) {
  KeyHealth stored = health(KeyState::exhausted);
  stored.until = WallTime::max();
  stored.limits = {{KeyLimit::Kind::cooling, "m", "r", WallTime::min(), WallTime::max()}};
  pool().put(key(1), stored);
  stored.state = KeyState::resting;
  stored.until = WallTime::min();
  pool().put(key(2), stored);
  EXPECT_EQ(state(1), KeyState::exhausted);
  EXPECT_EQ(state(2), KeyState::active);
  EXPECT_EQ(choose("m"), 0);
}

TEST_F(Restored, health_stays_when_a_key_is_put_without_one) {
  report(1, Fault::exhausted);
  limit_rate(2, seconds{10});
  pool().put(key(1, 5, 3), std::nullopt);
  pool().put(key(2, 5, 3), std::nullopt);
  EXPECT_EQ(state(1), KeyState::exhausted);
  EXPECT_EQ(choose(), 0);
  EXPECT_EQ(choose("x"), 2);
  clock.advance(seconds{300});
  EXPECT_EQ(pool().due_probes().size(), 1U);
}

}  // namespace
}  // namespace proxyxai
