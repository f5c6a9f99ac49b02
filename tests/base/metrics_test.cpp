#include "proxyxai/base/metrics.hpp"

#include <gmock/gmock.h>

namespace proxyxai {
namespace {

using testing::HasSubstr;

TEST(Metrics, RendersEachNameOnceWithHelpTypeAndSamples) {
  Metrics metrics;
  metrics.counter("answers_total", "Answers.", R"(code="200")").add(3);
  metrics.counter("answers_total", "Other help.", R"(code="500")").add();
  metrics.gauge("open", "Open connections.").set(-2);
  EXPECT_EQ(metrics.render(),
            "# HELP answers_total Answers.\n# TYPE answers_total counter\n"
            "answers_total{code=\"200\"} 3\nanswers_total{code=\"500\"} 1\n"
            "# HELP open Open connections.\n# TYPE open gauge\nopen -2\n");
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameObject) {
  Metrics metrics;
  Counter& first = metrics.counter("a", "A.", R"(x="1")");
  EXPECT_EQ(&first, &metrics.counter("a", "A.", R"(x="1")"));
  EXPECT_NE(&first, &metrics.counter("a", "A.", R"(x="2")"));
  EXPECT_NE(&first, &metrics.counter("b", "B.", R"(x="1")"));
  first.add(2);
  first.add();
  EXPECT_EQ(metrics.counter("a", "A.", R"(x="1")").value(), 3u);
}

TEST(Metrics, AreShownInWholeUnits) {
  Metrics metrics;
  metrics.counter("dollars_total", "Dollars.", {}, Scale::nano).add(1'234'500'000);
  metrics.gauge("held_dollars", "Held.", {}, Scale::nano).set(-1);
  metrics.gauge("start_seconds", "Start.", {}, Scale::milli).set(1'700'000'000'042);
  metrics.gauge("whole_seconds", "Whole.", {}, Scale::milli).set(3'000);
  const std::string shown = metrics.render();
  for (const char* line : {"\ndollars_total 1.2345\n", "\nheld_dollars -0.000000001\n", "\nstart_seconds 1700000000.042\n", "\nwhole_seconds 3\n"}) {
    EXPECT_THAT(shown, HasSubstr(line));
  }
}

TEST(Metrics, WhatIsForgottenIsNotShownUntilItIsSetAgain) {
  Metrics metrics;
  metrics.counter("used_total", "Used.", R"(key="1")").set(3);
  metrics.counter("used_total", "Used.", R"(key="2")").set(4);
  metrics.gauge("other", "Other.").set(1);
  metrics.forget("used_total");
  metrics.forget("nobody");
  EXPECT_EQ(metrics.render(), "# HELP other Other.\n# TYPE other gauge\nother 1\n");
  metrics.counter("used_total", "Used.", R"(key="2")").set(5);
  EXPECT_THAT(metrics.render(), HasSubstr("# TYPE used_total counter\nused_total{key=\"2\"} 5\n"));
}

TEST(Metrics, RefreshersRunAtEachScrapeBeforeIt) {
  Metrics metrics;
  int scrapes = 0;
  metrics.before_scrape([&](Metrics& m) { m.gauge("scrapes", "Scrapes.").set(++scrapes); });
  EXPECT_THAT(metrics.render(), HasSubstr("\nscrapes 1\n"));
  EXPECT_THAT(metrics.render(), HasSubstr("\nscrapes 2\n"));
}

TEST(Metrics, AnEmptyRegistryRendersNothing) { EXPECT_EQ(Metrics().render(), ""); }

TEST(Metrics, LabelValuesAreEscaped) {
  EXPECT_EQ(escape_label("plain é"), "plain é");
  EXPECT_EQ(escape_label("a\"b\\c\nd"), R"(a\"b\\c\nd)");
  EXPECT_EQ(escape_label(""), "");
}

/// The counts of all buckets by their `le`, in order.
std::vector<std::pair<std::string, int>> buckets_of(const Histogram& histogram) {
  std::string out;
  histogram.render(out, "h", "");
  std::vector<std::pair<std::string, int>> found;
  for (std::size_t at = 0; (at = out.find("le=\"", at)) != out.npos;) {
    at += 4;
    const auto end = out.find('"', at);
    found.emplace_back(out.substr(at, end - at), std::stoi(out.substr(end + 3)));
  }
  return found;
}

TEST(Histogram, BucketsAreCumulativeAndTheirBoundsIncluded) {
  Histogram histogram;
  histogram.observe(0);
  histogram.observe(50);             // at the first bound
  histogram.observe(51);             // above it
  histogram.observe(1'000'000);      // one second
  histogram.observe(600'000'000);    // at the last bound
  histogram.observe(600'000'001);    // above it
  const auto buckets = buckets_of(histogram);
  ASSERT_EQ(buckets.size(), 24u);
  EXPECT_EQ(buckets[0].second, 2);
  EXPECT_EQ(buckets[1].second, 3);
  for (std::size_t i = 1; i < buckets.size(); ++i) EXPECT_GE(buckets[i].second, buckets[i - 1].second) << i;
  for (const auto& [bound, count] : buckets) {
    if (bound == "0.5") EXPECT_EQ(count, 3);
    if (bound == "1") EXPECT_EQ(count, 4);
  }
  EXPECT_EQ(buckets[22].second, 5);
  EXPECT_EQ(buckets[23], (std::pair<std::string, int>{"+Inf", 6}));
}

TEST(Histogram, BoundsAreRoundNumbersOfSeconds) {
  std::vector<std::string> bounds;
  for (const auto& [bound, count] : buckets_of(Histogram())) bounds.push_back(bound);
  for (const std::string& each : bounds) EXPECT_LE(each.size(), 6u) << each;
  EXPECT_EQ(std::stod(bounds.front()), 50e-6);
  EXPECT_EQ(std::stod(bounds[22]), 600.0);
}

TEST(Histogram, RendersSumInSecondsAndCountWithItsLabels) {
  Metrics metrics;
  Histogram& histogram = metrics.histogram("took_seconds", "Time.", R"(route="chat")");
  histogram.observe(250'000);
  histogram.observe(500'000);
  const std::string out = metrics.render();
  EXPECT_TRUE(out.starts_with("# HELP took_seconds Time.\n# TYPE took_seconds histogram\n")) << out;
  EXPECT_THAT(out, HasSubstr("took_seconds_bucket{route=\"chat\",le=\"0.5\"} 2\n"));
  EXPECT_THAT(out, HasSubstr("took_seconds_sum{route=\"chat\"} 0.75\n"));
  EXPECT_THAT(out, HasSubstr("took_seconds_count{route=\"chat\"} 2\n"));
}

}  // namespace
}  // namespace proxyxai
