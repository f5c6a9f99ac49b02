#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace proxyxai {

/// Counters of the daemon in Prometheus' text exposition format 0.0.4.
///
/// A hot path looks its Counter up once, at start, and then only increments. Everything here belongs to the loop thread
/// but the values of counters and gauges, which any thread may change and read.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  /// Of what is counted elsewhere, before a scrape; never less than before.
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  void add(std::int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// What a counter or gauge counts in. It is shown in whole units: seconds, dollars.
enum class Scale : std::uint32_t { one = 1, milli = 1'000, nano = 1'000'000'000 };

/// Latency histogram over fixed buckets from 50 µs to 600 s. Loop thread only.
class Histogram {
 public:
  void observe(std::uint64_t microseconds);
  void render(std::string& out, std::string_view name, std::string_view labels) const;

  /// Upper ends of the buckets, in microseconds; what is above the last is in one more.
  static constexpr std::array<std::uint64_t, 23> bounds{50,         100,        200,         500,         1'000,      2'000,
                                                        5'000,      10'000,     20'000,      50'000,      100'000,    200'000,
                                                        500'000,    1'000'000,  2'000'000,   5'000'000,   10'000'000, 20'000'000,
                                                        30'000'000, 60'000'000, 120'000'000, 300'000'000, 600'000'000};
  using Counts = std::array<std::uint64_t, bounds.size() + 1>;
  /// How many fell into each bucket, those below not included.
  [[nodiscard]] const Counts& counts() const { return buckets_; }

 private:
  Counts buckets_{};
  std::uint64_t count_ = 0;
  double sum_seconds_ = 0;
};

/// Owns every metric; names and label sets are made once and live as long as the registry.
class Metrics {
 public:
  /// `labels` is the inside of the braces, e.g. `reason="invalid_api_key"`, already escaped; empty for none. The same
  /// name and labels give the same object. A name's help and scale are those of its first use.
  Counter& counter(std::string_view name, std::string_view help, std::string_view labels = {}, Scale scale = Scale::one);
  Gauge& gauge(std::string_view name, std::string_view help, std::string_view labels = {}, Scale scale = Scale::one);
  Histogram& histogram(std::string_view name, std::string_view help, std::string_view labels = {});
  /// Takes away all samples of these names, of which before_scrape sets anew what there is: not for what is held by reference.
  void forget(std::string_view name);
  /// Called at each scrape, to set gauges that are cheaper to read than to keep.
  void before_scrape(std::function<void(Metrics&)> refresh);

  [[nodiscard]] std::string render();

  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A label value with `\`, `"` and newline escaped.
std::string escape_label(std::string_view value);

}  // namespace proxyxai
