#include "proxyxai/base/metrics.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace proxyxai {
namespace {

void append_seconds(std::string& out, double value) {
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out.append(text, static_cast<std::size_t>(end - text));
}

/// `count` of units of 1 / `scale`, exactly.
std::string in_whole_units(std::int64_t count, Scale scale) {
  const auto one = static_cast<std::uint64_t>(scale);
  const bool negative = count < 0;
  const auto size = negative ? 0 - static_cast<std::uint64_t>(count) : static_cast<std::uint64_t>(count);
  std::string text = (negative ? "-" : "") + std::to_string(size / one);
  if (size % one == 0) return text;
  std::string fraction = std::to_string(one + size % one).substr(1);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

void append_sample(std::string& out, std::string_view name, std::string_view labels, std::string_view value) {
  out.append(name);
  if (!labels.empty()) out.append("{").append(labels).append("}");
  out.append(" ").append(value).append("\n");
}

/// All samples of one name.
template <class Metric>
struct Family {
  std::string help;
  Scale scale{};
  std::map<std::string, std::unique_ptr<Metric>, std::less<>> members;  // by labels

  Metric& member(std::string_view labels) {
    const auto found = members.find(labels);
    if (found != members.end()) return *found->second;
    return *members.emplace(std::string(labels), std::make_unique<Metric>()).first->second;
  }
};

template <class Metric>
using Families = std::map<std::string, Family<Metric>, std::less<>>;

template <class Metric>
Metric& find_or_make(Families<Metric>& families, std::string_view name, std::string_view help, std::string_view labels,
                     Scale scale) {
  auto found = families.find(name);
  if (found == families.end()) found = families.emplace(std::string(name), Family<Metric>{std::string(help), scale, {}}).first;
  return found->second.member(labels);
}

template <class Metric>
void render_family(std::string& out, const std::string& name, const Family<Metric>& family, std::string_view type) {
  out.append("# HELP ").append(name).append(" ").append(family.help);
  out.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  for (const auto& [labels, metric] : family.members) {
    if constexpr (std::is_same_v<Metric, Histogram>) metric->render(out, name, labels);
    else append_sample(out, name, labels, in_whole_units(static_cast<std::int64_t>(metric->value()), family.scale));
  }
}

}  // namespace

void Histogram::observe(std::uint64_t microseconds) {
  const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), microseconds) - bounds.begin();
  ++buckets_[static_cast<std::size_t>(bucket)];
  ++count_;
  sum_seconds_ += static_cast<double>(microseconds) * 1e-6;
}

void Histogram::render(std::string& out, std::string_view name, std::string_view labels) const {
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    below += buckets_[i];
    out.append(name).append("_bucket{").append(labels).append(labels.empty() ? "le=\"" : ",le=\"");
    if (i < bounds.size()) append_seconds(out, static_cast<double>(bounds[i]) / 1e6);
    else out.append("+Inf");
    out.append("\"} ").append(std::to_string(below)).append("\n");
  }
  std::string sum;
  append_seconds(sum, sum_seconds_);
  append_sample(out, std::string(name) + "_sum", labels, sum);
  append_sample(out, std::string(name) + "_count", labels, std::to_string(count_));
}

struct Metrics::Impl {
  Families<Counter> counters;
  Families<Gauge> gauges;
  Families<Histogram> histograms;
  std::vector<std::function<void(Metrics&)>> refreshers;
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, std::string_view labels, Scale scale) {
  return find_or_make(impl_->counters, name, help, labels, scale);
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, std::string_view labels, Scale scale) {
  return find_or_make(impl_->gauges, name, help, labels, scale);
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, std::string_view labels) {
  return find_or_make(impl_->histograms, name, help, labels, Scale::one);
}

void Metrics::forget(std::string_view name) {
  if (const auto found = impl_->counters.find(name); found != impl_->counters.end()) impl_->counters.erase(found);
  if (const auto found = impl_->gauges.find(name); found != impl_->gauges.end()) impl_->gauges.erase(found);
}

void Metrics::before_scrape(std::function<void(Metrics&)> refresh) { impl_->refreshers.push_back(std::move(refresh)); }

std::string Metrics::render() {
  for (const auto& refresh : impl_->refreshers) refresh(*this);
  std::string out;
  for (const auto& [name, family] : impl_->counters) render_family(out, name, family, "counter");
  for (const auto& [name, family] : impl_->gauges) render_family(out, name, family, "gauge");
  for (const auto& [name, family] : impl_->histograms) render_family(out, name, family, "histogram");
  return out;
}

std::string escape_label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

}  // namespace proxyxai
