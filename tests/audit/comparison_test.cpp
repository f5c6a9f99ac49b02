#include "proxyxai/audit/comparison.hpp"

#include <gmock/gmock.h>

namespace proxyxai {
namespace {

using testing::HasSubstr;

constexpr UtcDay monday = 20'000, tuesday = 20'001;

TEST(Comparison, OfNothingIsNoDifference) {
  const UsageComparison found = compare({}, {});
  EXPECT_TRUE(found.lines.empty());
  EXPECT_EQ(difference(found.used), 0);
  EXPECT_EQ(difference(found.cost), 0);
}

TEST(Comparison, PutsTheDaysAndModelsOfBothSidesBesideEachOther) {
  UsageBook ours, theirs;
  ours.add(tuesday, "a", {1, 10, 0, 5});
  ours.add(monday, "b", {1, 10, 0, 5});
  ours.add(monday, "b", {2, 20, 4, 6});
  theirs.add(monday, "b", {3, 30, 4, 11});
  theirs.add(tuesday, "c", {1, 7, 0, 1});
  ours.costs[monday] = dollars(2);
  theirs.costs[tuesday] = dollars(1);
  const UsageComparison found = compare(ours, theirs);
  ASSERT_EQ(found.lines.size(), 3u);
  EXPECT_EQ(found.lines[0].model, "b");
  EXPECT_EQ(difference(found.lines[0].used), 0);
  EXPECT_EQ(found.lines[1].model, "a");
  EXPECT_EQ(difference(found.lines[1].used), 1);
  EXPECT_EQ(found.lines[2].used.theirs.input, 7);
  EXPECT_EQ(found.used.ours.input, 40);
  EXPECT_EQ(found.used.theirs.input, 37);
  ASSERT_EQ(found.cost_lines.size(), 2u);
  EXPECT_EQ(difference(found.cost), 0.5);
}

TEST(Comparison, SumsADayWhoseModelsOneSideDoesNotKnow) {
  UsageBook ours, theirs;
  ours.add(monday, "a", {1, 10, 0, 5});
  ours.add(monday, "b", {1, 10, 0, 5});
  ours.add(tuesday, "a", {1, 10, 0, 5});
  theirs.add(monday, "", {2, 20, 0, 10});
  theirs.add(tuesday, "a", {1, 10, 0, 5});
  const UsageComparison found = compare(ours, theirs);
  ASSERT_EQ(found.lines.size(), 2u);
  EXPECT_EQ(found.lines[0].model, "");
  EXPECT_EQ(difference(found.lines[0].used), 0);
  EXPECT_EQ(found.lines[1].model, "a");
}

struct Apart {
  UsedTokens ours, theirs;
  double share;
};
class Difference : public testing::TestWithParam<Apart> {};
TEST_P(Difference, IsThatOfWhatIsFurthestApart) {
  EXPECT_DOUBLE_EQ(difference(UsageComparison::Pair<UsedTokens>{GetParam().ours, GetParam().theirs}), GetParam().share);
  EXPECT_DOUBLE_EQ(difference(UsageComparison::Pair<UsedTokens>{GetParam().theirs, GetParam().ours}), GetParam().share);
}
INSTANTIATE_TEST_SUITE_P(Figures, Difference,
                         testing::Values(Apart{{10, 100, 0, 10}, {10, 100, 0, 10}, 0}, Apart{{9, 100, 0, 10}, {10, 100, 0, 10}, 0.1},
                                         Apart{{10, 98, 0, 10}, {10, 100, 0, 10}, 0.02}, Apart{{10, 100, 0, 7}, {10, 100, 0, 10}, 0.3},
                                         Apart{{10, 100, 0, 10}, {10, 100, 5, 10}, 0.05}, Apart{{0, 0, 0, 0}, {1, 5, 0, 0}, 1}));

TEST(Comparison, IsShownInAlignedColumns) {
  UsageBook ours, theirs;
  ours.add(0, "gpt-4o", {1, 1'000'000, 0, 5});
  theirs.add(0, "gpt-4o", {1, 1'000'000, 0, 4});
  theirs.add(1, "o1", {1, 1, 0, 1});
  EXPECT_EQ(show_tokens(compare(ours, theirs)),
            "                    requests            input           cached          output\n"
            "day         model       ours  theirs     ours   theirs    ours  theirs    ours  theirs  difference\n"
            "1970-01-01  gpt-4o         1       1  1000000  1000000       0       0       5       4     20.00 %\n"
            "1970-01-02  o1             0       1        0        1       0       0       0       1    100.00 %\n"
            "total                      1       2  1000000  1000001       0       0       5       5     50.00 %\n");
  ours.costs[0] = {1'500'000'000};
  EXPECT_EQ(show_costs(compare(ours, theirs)),
            "dollars     ours  theirs  difference\n"
            "1970-01-01   1.5       0    100.00 %\n"
            "total        1.5       0    100.00 %\n");
}

TEST(UtcDay, IsReadAndWritten) {
  EXPECT_EQ(parse_utc_day("1970-01-01"), 0);
  EXPECT_EQ(parse_utc_day("2024-02-29"), 19'782);
  EXPECT_EQ(utc_date(19'782), "2024-02-29");
  EXPECT_GT(utc_today(), 20'000);
  for (const char* text : {"", "2024-02-30", "2023-02-29", "1969-12-31", "2024-2-29", "2024/02/29", "2024-02-29T", "2024-02-2x", "-024-02-29", "2024--2-29", "2024-13-01", "+024-01-01"}) {
    EXPECT_EQ(parse_utc_day(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace proxyxai
