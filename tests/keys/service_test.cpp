#include "proxyxai/keys/service.hpp"

#include <gtest/gtest.h>

#include "proxyxai/base/error.hpp"
#include "support/fake_clock.hpp"
#include "support/run_task.hpp"

namespace proxyxai {
namespace {

namespace asio = boost::asio;

class FakeStore final : public KeyStore {
 public:
  Task<std::vector<KeyRow>> load_keys() override {
    ++loads;
    co_return rows;
  }
  Task<Added> add_keys(std::vector<KeyRow> given) override {
    Added added;
    for (KeyRow& row : given) {
      KeyRow* known = nullptr;
      for (KeyRow& each : rows) known = each.fingerprint == row.fingerprint ? &each : known;
      added.is_new.push_back(known == nullptr);
      if (known == nullptr) {
        row.id = ++last_id;
        rows.push_back(row);
      }
      added.rows.push_back(known == nullptr ? row : *known);
    }
    co_return added;
  }
  Task<bool> update_key(KeyRow) override { co_return true; }
  Task<bool> delete_key(std::int64_t id) override { co_return std::erase_if(rows, [id](const KeyRow& each) { return each.id == id; }) > 0; }
  Task<void> save_health(std::vector<HealthUpdate> updates) override {
    if (fails) throw StorageError("the disk is full");
    for (const HealthUpdate& update : updates) {
      for (KeyRow& each : rows) {
        if (each.id != update.id) continue;
        each.health = update.health;
        each.enabled = update.enabled;
        each.died_at = update.died_at;
      }
    }
    co_return;
  }
  Task<std::size_t> sweep_dead(WallTime before) override {
    co_return std::erase_if(rows, [before](const KeyRow& each) { return each.died_at && *each.died_at < before; });
  }

  std::vector<KeyRow> rows;
  std::int64_t last_id = 0;
  int loads = 0;
  bool fails = false;
};

class FakeProber final : public Prober {
 public:
  Task<Attempt> probe(UpstreamKeyPtr key, bool) override {
    ++probes;
    Attempt attempt;
    attempt.key = key->id;
    attempt.fault = fault;
    co_return attempt;
  }
  Fault fault = Fault::none;
  int probes = 0;
};

class Keys : public testing::Test {
 protected:
  static NewKey key(const std::string& text) {
    NewKey made;
    made.secret = Secret(text);
    return made;
  }
  void load(std::vector<std::string> initial = {}) {
    std::vector<NewKey> keys;
    for (const std::string& each : initial) keys.push_back(key(each));
    run_task(loop_, service_.load(std::move(keys)));
  }
  void tick(milliseconds after) {
    clock_.advance(after);
    service_.tick(clock_.now());
    loop_.restart();
    loop_.run();
  }
  void report(KeyId id, Fault fault) {
    Attempt attempt;
    attempt.key = id;
    attempt.fault = fault;
    attempt.reason = to_string(fault);
    pool_.report(attempt, "m", "chat/completions");
  }
  std::optional<KeyId> choose() {
    const auto choice = pool_.choose({"m", "chat/completions", {}});
    if (!choice.lease) return std::nullopt;
    report(choice.lease->id, Fault::none);
    return choice.lease->id;
  }

  asio::io_context loop_{1};
  FakeClock clock_;
  FakeStore store_;
  FakeProber prober_;
  KeyPool pool_{clock_, KeyPool::Settings{}};
  Sealer sealer_ = Sealer::open(Secret("a master key for the tests"), "");
  KeyService service_{loop_.get_executor(), store_, pool_, sealer_, prober_, clock_, {"https://api.example", milliseconds(7'200'000)}};
};

const std::string first = "sk-first-0123456789-aaaa", second = "sk-second-0123456789-bbbb";

TEST_F(Keys, InitialOnesAreStoredOnlyWhenThereAreNone) {
  load({first});
  ASSERT_EQ(store_.rows.size(), 1u);
  EXPECT_EQ(store_.rows[0].sealed.find("0123456789"), std::string::npos);
  load({second});
  EXPECT_EQ(store_.rows.size(), 1u);
  EXPECT_EQ(service_.list()[0].provider, "https://api.example");
}

TEST_F(Keys, ANewOneCountsAtOnceAndAKnownOneChangesNothing) {
  load();
  EXPECT_FALSE(choose());
  std::vector<NewKey> one;
  one.push_back(key(first));
  run_task(loop_, service_.add(std::move(one), false));
  EXPECT_TRUE(choose());
  std::vector<NewKey> again;
  again.push_back(key(first));
  again.push_back(key(second));
  const auto added = run_task(loop_, service_.add(std::move(again), false));
  EXPECT_EQ(added.added, 1u);
  EXPECT_EQ(added.existing, 1u);
}

TEST_F(Keys, LimitsCountAtOnceAndOverAReload) {
  load();
  std::vector<NewKey> one;
  one.push_back(key(first));
  one[0].quota = {.rpm = 1, .tpm = 1'000, .concurrency = 3};
  const auto added = run_task(loop_, service_.add(std::move(one), false));
  EXPECT_EQ(added.keys.at(0).quota, (KeyQuota{1, 1'000, 3}));
  EXPECT_EQ(store_.rows[0].quota, (KeyQuota{1, 1'000, 3}));
  EXPECT_TRUE(choose());
  EXPECT_FALSE(choose());
  run_task(loop_, service_.reload());
  EXPECT_FALSE(choose()) << "what has been counted stays counted";
  KeyChange change;
  change.rpm = 2;
  const auto changed = run_task(loop_, service_.update(1, std::move(change)));
  EXPECT_EQ(changed->quota, (KeyQuota{2, 1'000, 3}));
  EXPECT_TRUE(choose());
  EXPECT_FALSE(choose());
}

TEST_F(Keys, TheDatabaseIsReadAgainEveryTwoHours) {
  load({first});
  const int before = store_.loads;
  tick(milliseconds(7'199'000));
  EXPECT_EQ(store_.loads, before);
  store_.rows.clear();
  tick(milliseconds(2'000));
  EXPECT_EQ(store_.loads, before + 1);
  EXPECT_FALSE(choose()) << "what another process has deleted is gone";
}

TEST_F(Keys, ADeadOneIsSavedAndSweptAfterAWeek) {
  load({first, second});
  report(1, Fault::dead);
  tick(milliseconds(1'100));
  EXPECT_TRUE(store_.rows[0].died_at);
  EXPECT_EQ(service_.find(1)->health.state, KeyState::dead);
  tick(std::chrono::hours(24 * 6));
  EXPECT_TRUE(service_.find(1));
  tick(std::chrono::hours(24 + 1));
  EXPECT_FALSE(service_.find(1));
  EXPECT_EQ(store_.rows.size(), 1u);
}

TEST_F(Keys, HealthSurvivesARestart) {
  load({first, second});
  report(1, Fault::exhausted);
  tick(milliseconds(1'100));
  KeyPool pool(clock_, KeyPool::Settings{});
  KeyService again(loop_.get_executor(), store_, pool, sealer_, prober_, clock_, {"https://api.example", milliseconds(7'200'000)});
  run_task(loop_, again.load({}));
  EXPECT_EQ(pool.health(1)->state, KeyState::exhausted);
  EXPECT_EQ(pool.health(1)->reason, "exhausted");
}

TEST_F(Keys, WhatCouldNotBeSavedIsSavedLater) {
  load({first, second});
  store_.fails = true;
  report(1, Fault::dead);
  tick(milliseconds(1'100));
  EXPECT_FALSE(store_.rows[0].died_at);
  store_.fails = false;
  tick(milliseconds(1'100));
  EXPECT_TRUE(store_.rows[0].died_at);
}

TEST_F(Keys, AnExhaustedOneIsProbedInTheBackgroundAndHeals) {
  load({first});
  report(1, Fault::exhausted);
  prober_.fault = Fault::exhausted;
  tick(milliseconds(301'000));
  EXPECT_EQ(prober_.probes, 1);
  EXPECT_FALSE(choose());
  prober_.fault = Fault::none;
  tick(milliseconds(601'000));
  EXPECT_EQ(prober_.probes, 2);
  EXPECT_TRUE(choose());
}

TEST_F(Keys, VerifyKeepsOutWhatUpstreamRejectsOrCannotBeAskedAbout) {
  load();
  for (const auto& [fault, was_asked] : {std::pair(Fault::dead, true), std::pair(Fault::upstream, false), std::pair(Fault::overloaded, false)}) {
    prober_.fault = fault;
    std::vector<NewKey> keys;
    keys.push_back(key(first));
    const auto added = run_task(loop_, service_.add(std::move(keys), true));
    ASSERT_EQ(added.rejected.size(), 1u) << to_string(fault);
    EXPECT_EQ(added.rejected[0].was_asked, was_asked) << to_string(fault);
    EXPECT_TRUE(store_.rows.empty());
  }
}

TEST_F(Keys, AnotherMasterKeyIsRefusedInWords) {
  load({first});
  const Sealer other = Sealer::open(Secret("another master key altogether"), "");
  KeyPool pool(clock_, KeyPool::Settings{});
  KeyService again(loop_.get_executor(), store_, pool, other, prober_, clock_, {"https://api.example", milliseconds(1)});
  EXPECT_THROW(run_task(loop_, again.load({})), Failure);
}

TEST(HealthJson, KeepsEverythingAndSurvivesNonsense) {
  KeyHealth health;
  health.state = KeyState::resting;
  health.reason = "http_500";
  health.since = from_unix_ms(5);
  health.until = from_unix_ms(9);
  health.requests = 7;
  health.limits.push_back({KeyLimit::Kind::cooling, "gpt-\xff", "rate_limit_exceeded", from_unix_ms(1), from_unix_ms(2)});
  health.limits.push_back({KeyLimit::Kind::excluded_endpoint, "files", "missing_scopes", from_unix_ms(1), std::nullopt});
  const KeyHealth back = health_from_json(to_json(health));
  EXPECT_EQ(back.state, KeyState::resting);
  EXPECT_EQ(back.until, from_unix_ms(9));
  EXPECT_EQ(back.requests, 7u);
  ASSERT_EQ(back.limits.size(), 2u);
  EXPECT_EQ(back.limits[1].kind, KeyLimit::Kind::excluded_endpoint);
  for (const char* bad : {"", "[]", "{\"state\":7}", "{\"limits\":3}", "nonsense"}) EXPECT_EQ(health_from_json(bad).state, KeyState::active) << bad;
}

}  // namespace
}  // namespace proxyxai
