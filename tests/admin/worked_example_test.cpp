#include <gmock/gmock.h>

#include "proxyxai/storage/offline.hpp"
#include "admin/api_fixture.hpp"

namespace proxyxai {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The worked example of the contract, to the cent.
TEST_F(ApiTest, TheWorkedExample) {
  const AccountPtr parent = add(root, "parent", 10'000);
  const AccountPtr child = add(parent, "child", 100);
  EXPECT_THAT(cards(parent), ElementsAre(9'900));
  EXPECT_THAT(cards(child), ElementsAre(100));
  world.clock.advance(std::chrono::minutes(1));

  Answer answer = put(parent, path(child), {{"CreditGranted", 80}});
  EXPECT_EQ(answer["Parent"]["Balance"], 9'820);
  EXPECT_EQ(answer["User"]["Updates"]["Balance"], 180);
  EXPECT_EQ(answer["User"]["Updates"]["HardLimit"], 200);
  EXPECT_THAT(cards(child), ElementsAre(100, 80));
  world.clock.advance(std::chrono::minutes(1));

  answer = put(parent, path(child), {{"CreditGranted", -50}});
  EXPECT_THAT(cards(child), ElementsAre(50, 80));
  EXPECT_EQ(answer["Parent"]["Balance"], 9'869.8);
  EXPECT_THAT(cards(parent), ElementsAre(50, 9'819.8)) << "a new card of 300 days, and the old one down by the fee";
  world.clock.advance(std::chrono::minutes(1));

  answer = put(parent, path(child), {{"Rates", 2}});
  EXPECT_EQ(answer["User"]["Updates"]["Balance"], 260);
  EXPECT_THAT(cards(child), ElementsAre(100, 160));
  EXPECT_EQ(answer["Parent"]["Balance"], 9'869.8);
  world.clock.advance(std::chrono::minutes(1));

  answer = call(parent, "DELETE", path(child));
  EXPECT_EQ(answer.status, 200u) << answer.text;
  EXPECT_EQ(answer["Action"], "delete");
  EXPECT_EQ(answer["Parent"]["Balance"], 9'999.6);
  EXPECT_THAT(cards(parent), ElementsAre(129.8, 50, 9'819.8)) << "one card of (100 + 160) / 2 - 0.2, of 180 days";
  EXPECT_EQ(world.number("SELECT SUM(amount) FROM entries"), 0);
}

TEST_F(ApiTest, GrantsCostWhatTheRatesSay) {
  const AccountPtr parent = add(root, "parent", 1'000, {{"Rates", 1.25}});
  const AccountPtr child = add(parent, "child", 200, {{"Rates", 2.5}});
  EXPECT_THAT(cards(parent), ElementsAre(900)) << "200 × 1.25 / 2.5";
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", -100}})["Parent"]["Balance"], 949.8);
  EXPECT_EQ(add(parent, "heir", 2)->row.rates, 1'250'000'000) << "the parent's is the default";
  for (const double low : {1.0, 1.2499}) {
    EXPECT_EQ(put(parent, path(child), {{"Rates", low}}).error(), "invalid_value Rates");
  }
}

TEST_F(ApiTest, RootIssuesAndPaysNoFees) {
  const AccountPtr child = add(root, "child", 100);
  EXPECT_THAT(cards(root), ElementsAre());
  put(root, path(child), {{"CreditGranted", -40}});
  EXPECT_THAT(cards(root), ElementsAre());
  EXPECT_THAT(cards(child), ElementsAre(60));
  get(root, "/x-users");
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM transfers WHERE kind = 'fee'"), 0);
  EXPECT_EQ(world.number("SELECT SUM(amount) FROM entries WHERE account_id = -1"), -60'000'000'000);
}

TEST_F(ApiTest, ListingAllChildrenCostsAFee) {
  const AccountPtr parent = add(root, "parent", 100);
  add(parent, "child", 10);
  get(parent, "/x-users");
  get(parent, "/x-users?name=child");
  get(parent, "/x-users/child");
  EXPECT_THAT(cards(parent), ElementsAre(89.998));
}

TEST_F(ApiTest, TheSmallestGrantCostsSomethingAndTheSmallestRefundIsNotRoundedUp) {
  const AccountPtr parent = add(root, "parent", 100), child = add(parent, "child", 10, {{"Rates", 1'000}});
  const Money before = parent->balance();
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", 0.000000499}}).status, 200u);
  EXPECT_EQ(parent->balance(), before - Money{1});
  EXPECT_EQ(put(parent, path(child), {{"CreditGranted", -0.000001999}}).status, 200u);
  EXPECT_EQ(parent->balance(), before - Money{200'000'000});
  EXPECT_THAT(check_database(world.directory.path()), IsEmpty());
}

TEST_F(ApiTest, ADeletionInDebtIsPaidByTheParent) {
  const AccountPtr parent = add(root, "parent", 100), child = add(parent, "child", 10, {{"Rates", 2}});
  world.use(child, dollars(12));
  EXPECT_EQ(child->balance(), dollars(-2));
  const Answer answer = call(parent, "DELETE", path(child));
  EXPECT_EQ(answer["Parent"]["Balance"], 94) << "100 - 10 / 2 - 2 / 2";
  EXPECT_EQ(parent->balance(), dollars(94));
  EXPECT_EQ(world.number("SELECT SUM(amount) FROM entries"), 0);
  EXPECT_EQ(world.number("SELECT SUM(amount) FROM entries WHERE account_id = " + std::to_string(child->row.id)), 0);
  EXPECT_EQ(world.number("SELECT COUNT(*) FROM transfers WHERE kind = 'fee'"), 0);
  EXPECT_THAT(check_database(world.directory.path()), IsEmpty());
}

TEST_F(ApiTest, ADeletionInDebtIsOwedByAParentThatCannotPayIt) {
  const AccountPtr parent = add(root, "parent", 100), child = add(parent, "child", 90);
  world.use(child, dollars(120));
  EXPECT_EQ(call(root, "DELETE", path(child))["Parent"]["Balance"], -20);
  EXPECT_EQ(parent->balance(), dollars(-20));
  EXPECT_THAT(cards(parent), ElementsAre());
  EXPECT_THAT(check_database(world.directory.path()), IsEmpty());
  EXPECT_EQ(call(root, "DELETE", path(parent)).status, 200u);
  EXPECT_EQ(root->balance(), Money{}) << "what nobody else owes is issued";
  EXPECT_EQ(world.number("SELECT SUM(amount) FROM entries WHERE account_id = -1"), -dollars(120).nanos);
  EXPECT_THAT(check_database(world.directory.path()), IsEmpty());
}

TEST_F(ApiTest, DaysAreOfTheCard) {
  const AccountPtr child = add(root, "child", 10, {{"Days", 0.5}});
  world.clock.advance(std::chrono::hours(11));
  world.tick();
  EXPECT_EQ(child->balance(), dollars(10));
  world.clock.advance(std::chrono::hours(1));
  world.tick();
  EXPECT_EQ(child->balance(), Money{});
  EXPECT_EQ(world.number("SELECT amount FROM transfers WHERE kind = 'expiry'"), 10'000'000'000);
  for (const double days : {-1.0, 365.5, 1e9}) EXPECT_EQ(put(root, path(child), {{"CreditGranted", 1}, {"Days", days}}).error(), "invalid_value Days");
}

}  // namespace
}  // namespace proxyxai
