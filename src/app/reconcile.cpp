#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "commands.hpp"
#include "prices.hpp"
#include "proxyxai/audit/usage_api.hpp"
#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/error.hpp"
#include "proxyxai/storage/key_ledger.hpp"

namespace proxyxai {
namespace {

enum Exit : int { agreed = 0, differed = 1, not_compared = 2 };

constexpr const char* admin_key_variable = "OPENAI_ADMIN_KEY";
constexpr int most_days = 366;
constexpr std::size_t longest_id = 128;

struct Wanted {
  std::int64_t key = 0;
  UtcDay since = 0, until = 0;  // both included
  UsageApi::Scope scope;
  double tolerance = 0.01;
};

const std::string& option(const CommandLine::Options& options, const char* name) {
  static const std::string none;
  const auto found = options.find(name);
  return found == options.end() ? none : found->second;
}

UtcDay day_of(const char* name, const std::string& text) {
  const auto day = parse_utc_day(text);
  if (!day) throw Failure(std::string(name) + " '" + text + "' is no date; write it as 2026-11-25");
  return *day;
}

/// An id of OpenAI's, that can stand in a query as it is.
std::string upstream_id(const char* name, const std::string& text, std::string_view prefix) {
  const auto is_plain = [](char c) { return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  const bool good = text.empty() || (text.starts_with(prefix) && text.size() <= longest_id && std::all_of(text.begin(), text.end(), is_plain));
  if (!good) throw Failure(std::string(name) + " must be an id of OpenAI's such as " + std::string(prefix) + "abc123");
  return text;
}

Wanted read_wanted(const CommandLine::Options& options) {
  Wanted wanted;
  const std::string &key = option(options, "--key"), &since = option(options, "--since"), &until = option(options, "--until");
  if (key.empty() || since.empty()) throw Failure("reconcile needs --key ID and --since DATE; try 'proxyxai --help'");
  wanted.key = parse_whole(key).value_or(0);
  if (wanted.key < 1) throw Failure("--key '" + key + "' is no id of an upstream key; GET /x-keys lists them");
  const UtcDay today = utc_today();
  wanted.since = day_of("--since", since);
  wanted.until = until.empty() ? today : day_of("--until", until);
  const UtcDay latest = std::max(wanted.since, wanted.until);
  if (latest > today) throw Failure("in UTC it is " + utc_date(today) + ": --since and --until may not be later, as " + utc_date(latest) + " is");
  if (wanted.since > wanted.until) throw Failure("--since " + since + " is after --until " + utc_date(wanted.until));
  if (wanted.until - wanted.since >= most_days) {
    throw Failure("--since " + since + " and --until " + utc_date(wanted.until) + " may be " + std::to_string(most_days) + " days apart at most");
  }
  // An upstream key's own text begins alike, and must not get into a query.
  wanted.scope.key = upstream_id("--upstream-key-id", option(options, "--upstream-key-id"), "key_");
  wanted.scope.project = upstream_id("--project", option(options, "--project"), "proj_");
  if (const std::string& tolerance = option(options, "--tolerance"); !tolerance.empty()) {
    char* end = nullptr;
    const double percent = std::strtod(tolerance.c_str(), &end);
    if (*end != '\0' || !(percent >= 0 && percent <= 100)) throw Failure("--tolerance '" + tolerance + "' must be a number of percent from 0 to 100, such as 0.5");
    wanted.tolerance = percent / 100;
  }
  return wanted;
}

Secret read_admin_key() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment
  const char* const text = std::getenv(admin_key_variable);
  if (text == nullptr || *text == '\0') {
    throw Failure(std::string(admin_key_variable) + " is not set: upstream's usage API wants an admin key of the organisation (sk-admin-...) in this "
                                                    "environment variable");
  }
  const std::string_view key(text);
  const bool is_plain = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!is_plain) throw Failure(std::string(admin_key_variable) + " has blanks or control characters: it is no key");
  return Secret(std::string(key));
}

/// The ledger calls a model by its price, upstream by its dated name: both become the name of their price, where there is one.
class ModelNames {
 public:
  explicit ModelNames(const std::string& prices_file) : prices_(load_prices(prices_file)) {}
  [[nodiscard]] std::string of(const std::string& model) const {
    const Price* const price = model.empty() ? nullptr : prices_->find(model);
    return price == nullptr ? model : price->model;
  }
  [[nodiscard]] UsageBook renamed(const UsageBook& book) const {
    UsageBook named;
    named.costs = book.costs;
    for (const auto& [place, used] : book.tokens) named.add(place.first, of(place.second), used);
    return named;
  }

 private:
  std::shared_ptr<const PriceTable> prices_;
};

UsageBook book_of(const KeyLedger& ledger, UtcDay since) {
  UsageBook book;
  for (const KeyLedger::Tokens& each : ledger.tokens) {
    if (each.day >= since) book.add(each.day, each.model, {each.requests, each.input, each.cached, each.output});
  }
  for (const KeyLedger::Cost& each : ledger.costs) {
    if (each.day >= since) book.costs[each.day] += each.list_cost;
  }
  return book;
}

/// The first day of which the ledger still has every request.
UtcDay first_whole_day(const KeyLedger& ledger, const Wanted& wanted) {
  if (!ledger.has_forgotten) return wanted.since;
  return std::max(wanted.since, ledger.first_day ? *ledger.first_day + 1 : wanted.until + 1);
}

/// What has to be known to read the figures.
void print_notes(const KeyLedger& ledger, const Wanted& wanted, UtcDay since) {
  if (since > wanted.since) {
    std::printf("before %s the ledger has only sums by day (RETENTION_DAYS), which know no key: those days are not compared\n", utc_date(since).c_str());
  } else if (ledger.first_day && *ledger.first_day > wanted.since) {
    std::printf("the ledger begins on %s\n", utc_date(*ledger.first_day).c_str());
  }
  if (wanted.scope.key.empty()) {
    const std::string whole = wanted.scope.project.empty() ? "the whole organisation" : "the whole project";
    std::printf("upstream's figures are of %s; --upstream-key-id%s asks for this key alone\n", whole.c_str(),
                wanted.scope.project.empty() ? ", or --project," : "");
  } else {
    std::printf("upstream knows dollars by project, not by key: they are shown, but do not count\n");
  }
  if (wanted.until == utc_today()) std::printf("today is not over, and upstream may tell its last hours later\n");
}

int compare_books(const Settings& settings, const Wanted& wanted, Secret admin_key) {
  const KeyLedger ledger = read_key_ledger(settings.data_dir, wanted.key, wanted.since, wanted.until + 1);
  if (!ledger.partial && !ledger.has_requests) {
    throw Failure("there is no upstream key " + std::to_string(wanted.key) + "; GET /x-keys lists them");
  }
  const UtcDay since = first_whole_day(ledger, wanted);
  if (since > wanted.until) {
    throw Failure("the ledger has no single requests of those days any more (RETENTION_DAYS), and sums by day know no key: nothing to compare");
  }
  const std::string origin = ledger.provider.empty() ? settings.openai_api_base : ledger.provider;
  const std::string partial = ledger.partial ? "..." + *ledger.partial : "deleted";
  UsageApi api({origin, std::move(admin_key), settings.upstream_ca_file, settings.upstream_proxy, settings.connect_timeout});
  const ModelNames names(settings.prices_file);
  const UsageBook theirs = api.read(since, wanted.until + 1, wanted.scope);
  const UsageComparison found = compare(names.renamed(book_of(ledger, since)), names.renamed(theirs));

  std::printf("upstream key %lld (%s) at %s, %s to %s, days of UTC\n", static_cast<long long>(wanted.key), partial.c_str(), origin.c_str(),
              utc_date(since).c_str(), utc_date(wanted.until).c_str());
  print_notes(ledger, wanted, since);
  std::printf("\n%s\n%s\n", show_tokens(found).c_str(), show_costs(found).c_str());
  const bool is_same = difference(found.used) <= wanted.tolerance && (!wanted.scope.key.empty() || difference(found.cost) <= wanted.tolerance);
  std::printf(is_same ? "both agree within %g %%\n" : "they differ by more than %g %%\n", wanted.tolerance * 100);
  return is_same ? agreed : differed;
}

}  // namespace

int reconcile(const Settings& settings, const CommandLine::Options& options) {
  try {
    const Wanted wanted = read_wanted(options);
    return compare_books(settings, wanted, read_admin_key());
  } catch (const Failure& failure) {
    std::fprintf(stderr, "proxyxai: %s\n", failure.what());
    return not_compared;
  }
}

}  // namespace proxyxai
