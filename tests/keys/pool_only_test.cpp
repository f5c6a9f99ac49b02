#include "keys/pool_fixture.hpp"

namespace proxyxai {
namespace {

/// Requests for what one key alone holds.
class Only : public PoolTest {
 protected:
  Only() { add_keys(3); }

  KeyPool::Choice only(KeyId id, const std::vector<KeyId>& tried = {}, std::string_view endpoint = "files") {
    return pool().choose({.model = "m", .endpoint = endpoint, .tried = tried, .only = id});
  }
  KeyId taken(KeyId id, const std::vector<KeyId>& tried = {}) {
    const auto found = only(id, tried);
    EXPECT_EQ(found.absence, KeyPool::Absence::none);
    return found.lease ? found.lease->id : 0;
  }
  void rest_key_1() {
    report(1, Fault::upstream);
    report(2, Fault::none);
    report(1, Fault::upstream);
    report(1, Fault::upstream);
    ASSERT_EQ(state(1), KeyState::resting);
  }
};

TEST_F(Only, is_given_always_and_no_other) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(taken(2), 2);
  EXPECT_EQ(pool().health(2)->requests, 5u);
}

TEST_F(Only, is_given_though_tried) {
  const auto again = only(2, {1, 2});
  EXPECT_EQ(again.lease->id, 2);
  EXPECT_TRUE(again.tried_before);
  EXPECT_FALSE(only(2, {1}).tried_before);
  EXPECT_FALSE(pool().untried_left({.model = "m", .endpoint = chat, .only = 2}));
}

TEST_F(Only, is_given_without_money) {
  report(1, Fault::exhausted);
  EXPECT_EQ(taken(1), 1);
  report(1, Fault::none);
  EXPECT_EQ(state(1), KeyState::exhausted) << "an answer that cost nothing says nothing of money";
  clock.advance(seconds{300});
  EXPECT_EQ(taken(1), 1) << "a probe that is due changes nothing";
  EXPECT_EQ(pool().due_probes().size(), 1u);
  report(1, Fault::exhausted);
  EXPECT_EQ(state(1), KeyState::exhausted);
}

TEST_F(Only, is_given_while_it_rests_and_heals_by_success_alone) {
  rest_key_1();
  EXPECT_EQ(taken(1), 1);
  report(1, Fault::upstream);
  EXPECT_EQ(left(1), seconds{15}) << "its turn to be tried had not come";
  EXPECT_EQ(taken(1), 1);
  report(1, Fault::none);
  EXPECT_EQ(state(1), KeyState::active);
}

TEST_F(Only, tries_out_a_rested_key) {
  rest_key_1();
  clock.advance(seconds{15});
  EXPECT_EQ(taken(1), 1);
  EXPECT_NE(choose(), 1) << "one at a time";
  EXPECT_EQ(taken(1), 1) << "but nothing else can serve this";
  report(1, Fault::upstream);
  EXPECT_EQ(left(1), seconds{30});
  report(1, Fault::upstream);
  EXPECT_EQ(left(1), seconds{30});
}

TEST_F(Only, waits_while_it_cools_or_is_at_its_limit) {
  limit_rate(1, seconds{20});
  auto found = only(1);
  EXPECT_FALSE(found.lease);
  EXPECT_EQ(found.ready_at, clock.now() + seconds{20});
  add_limited(2, {.concurrency = 1});
  const auto held = only(2);
  found = only(2);
  EXPECT_FALSE(found.lease);
  EXPECT_EQ(found.ready_at, clock.now() + milliseconds{50});
  EXPECT_EQ(found.absence, KeyPool::Absence::none);
}

TEST_F(Only, has_no_other_where_it_is_excluded) {
  deny(1, Scope::endpoint, "m", "files");
  const auto found = only(1);
  EXPECT_FALSE(found.lease);
  EXPECT_FALSE(found.ready_at);
}

TEST_F(Only, tells_why_it_is_gone) {
  auto found = only(4711);
  EXPECT_FALSE(found.lease);
  EXPECT_EQ(found.absence, KeyPool::Absence::gone);
  EXPECT_EQ(found.reason, "");
  pool().report(attempt(1, Fault::dead, "invalid_api_key"), "m", chat);
  found = only(1);
  EXPECT_FALSE(found.lease);
  EXPECT_EQ(found.absence, KeyPool::Absence::gone);
  EXPECT_EQ(found.reason, "invalid_api_key");
  pool().set_enabled(2, false, "set_by_operator");
  found = only(2);
  EXPECT_FALSE(found.lease);
  EXPECT_EQ(found.absence, KeyPool::Absence::disabled);
  EXPECT_EQ(found.reason, "set_by_operator");
}

TEST_F(Only, leaves_the_turns_of_the_others_alone) {
  for (int i = 0; i < 1'000; ++i) {
    only(1);
    if (i % 10 == 0) use();
  }
  auto shares = serve(2);
  EXPECT_EQ(shares.count(1), 0u) << "it has had more than its share";
  shares = serve(300);
  EXPECT_NEAR(shares[1], 100, 10) << "but not for ever";
  EXPECT_NEAR(shares[2], shares[3], 1);
}

class Preferred : public PoolTest {
 protected:
  Preferred() { add_keys(3); }

  KeyId prefer(KeyId id, const std::vector<KeyId>& tried = {}) {
    const auto found = pool().choose({.model = "m", .endpoint = chat, .tried = tried, .preferred = id});
    return found.lease ? found.lease->id : 0;
  }
};

TEST_F(Preferred, is_taken_while_it_is_usable) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(prefer(3), 3);
  pool().put(key(3, 1, 7), std::nullopt);
  EXPECT_EQ(prefer(3), 3) << "whatever its level";
}

TEST_F(Preferred, gives_way_when_it_is_not) {
  EXPECT_NE(prefer(3, {3}), 3);
  EXPECT_NE(prefer(4711), 0);
  limit_rate(3, seconds{1});
  EXPECT_NE(prefer(3), 3);
  clock.advance(seconds{1});
  EXPECT_EQ(prefer(3), 3);
  report(3, Fault::exhausted);
  EXPECT_NE(prefer(3), 3);
  add_limited(2, {.rpm = 1});
  EXPECT_EQ(prefer(2), 2);
  EXPECT_EQ(prefer(2), 1);
}

TEST_F(Preferred, tries_out_a_rested_key_with_one_request) {
  report(1, Fault::upstream);
  report(2, Fault::none);
  report(1, Fault::upstream);
  report(1, Fault::upstream);
  ASSERT_EQ(state(1), KeyState::resting);
  EXPECT_NE(prefer(1), 1);
  clock.advance(seconds{15});
  EXPECT_EQ(prefer(1), 1);
  EXPECT_NE(prefer(1), 1);
  report(1, Fault::none);
  EXPECT_EQ(prefer(1), 1);
}

}  // namespace
}  // namespace proxyxai
