// How long to wait, as upstream says it: retry-after-ms, retry-after, x-ratelimit resets and remains, status and body, one a line;
// and lengths of time in settings. No answer is negative or beyond its most, and each is what a plain reading gives.
#include <time.h>

#include <cmath>
#include <cstring>

#include "check.hpp"
#include "keys/retry_time.hpp"
#include "proxyxai/keys/classify.hpp"

using namespace proxyxai;
using namespace proxyxai::fuzz;

namespace {

constexpr std::int64_t day_ms = 86'400'000;

/// Sums up `1h2m3.5s` by the C library; negative: it is none.
long double read_lengths(const std::string& text) {
  long double total = text.empty() ? -1 : 0;
  const char* at = text.c_str();
  while (total >= 0 && *at != '\0') {
    char* unit = nullptr;
    if (*at < '0' || *at > '9') return -1;
    total += std::strtold(at, &unit) * (std::strncmp(unit, "ms", 2) == 0 ? 1 : *unit == 's' ? 1e3l : *unit == 'm' ? 6e4l : *unit == 'h' ? 36e5l : 864e5l);
    at = unit + std::strcspn(unit, "0123456789");
  }
  return total;
}

void check_reset(const std::string& text) {
  const auto length = parse_reset(text);
  if (!length) return;
  require(length->count() >= 0, "a length of time is not negative");
  require(text.find_first_not_of("0123456789.dhms") == text.npos, "a length of time is digits and units");
  const long double wanted = read_lengths(text);
  require(wanted >= 0, "the C library reads it too");
  if (wanted < 1e14l) require(std::abs(static_cast<long double>(length->count()) - wanted) < 2, "the length is what it says, rounded up");
}

void check_date(const std::string& text) {
  const auto time = parse_http_date(text);
  if (!time) return;
  tm parts{};
  const char* const end = ::strptime(text.c_str() + 5, "%d %b %Y %H:%M:%S GMT", &parts);
  require(end != nullptr && *end == '\0', "the C library reads this date too");
  same(to_unix_ms(*time), static_cast<std::int64_t>(::timegm(&parts)) * 1'000, "date");
}

void check_duration(const std::string& text) {
  const auto length = parse_duration(text);
  if (!length) return;
  require(length->count() >= 0 && length->count() <= 100 * 366 * day_ms, "a setting's length is from 0 to 100 years");
  char* unit = nullptr;
  const double number = std::strtod(text.c_str(), &unit);
  const double factor = std::strcmp(unit, "ms") == 0 ? 1 : *unit == 'm' ? 6e4 : *unit == 'h' ? 36e5 : 1e3;
  require(std::abs(static_cast<double>(length->count()) - number * factor) <= 0.5 + number * factor * 1e-12, "a setting's length is what it says");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest = text_of(data, size);
  std::vector<std::string> lines;
  for (int i = 0; i < 7; ++i) lines.emplace_back(take_line(rest));
  const std::string body(rest);
  Answer answer;
  answer.retry_after_ms = lines[0];
  answer.retry_after = lines[1];
  answer.reset_requests = lines[2];
  answer.reset_tokens = lines[3];
  answer.remaining_requests = lines[4];
  answer.remaining_tokens = lines[5];
  answer.status = lines[6].empty() ? 429 : static_cast<unsigned>(std::atoi(lines[6].c_str())) % 1'000;
  answer.body = body;
  const auto wait = retry_time(answer, body);
  if (wait) require(wait->count() >= 0 && wait->count() <= day_ms, "no wait is negative or longer than a day");
  const bool is_whole = !lines[1].empty() && lines[1].size() <= 9 && lines[1].find_first_not_of("0123456789") == lines[1].npos;
  if (lines[0].empty() && is_whole) {
    require(wait.has_value(), "a whole number of seconds is a wait");
    same(wait->count(), std::min<std::int64_t>(std::atoll(lines[1].c_str()) * 1'000, day_ms), "seconds to wait");
  }

  Attempt attempt;
  classify(answer, attempt);
  if (attempt.retry_after) {
    require(answer.status == 429 && attempt.fault == Fault::rate_limited, "only a rate limit says when to come back");
    require(attempt.retry_after->count() >= 0 && attempt.retry_after->count() <= day_ms, "no wait is negative or longer than a day");
  }
  require(attempt.fault == Fault::none || (!attempt.reason.empty() && attempt.reason.size() <= 64), "a fault has a reason that is a token");
  require(attempt.reason.find_first_of(" \t\r\n\"\\") == attempt.reason.npos, "a reason is a token");
  for (const std::string& each : lines) {
    check_reset(each);
    check_date(each);
    check_duration(each);
  }
  return 0;
}
