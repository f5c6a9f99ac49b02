#include "proxyxai/base/access_log.hpp"

#include <algorithm>
#include <cstring>
#include <ctime>

#include "proxyxai/base/ascii.hpp"
#include "proxyxai/base/log.hpp"

#include "patient_write.hpp"

namespace proxyxai {
namespace {

constexpr std::size_t max_path = 512, max_short = 128;

/// True for what needs no escaping in either form and cannot be a key.
bool is_plain(std::string_view text) {
  for (const char c : text) {
    if (c <= ' ' || c > '~' || c == '"' || c == '\\' || c == '=') return false;
  }
  return text.find("sk-") == text.npos && text.find("Xvs") == text.npos;
}

/// As JSON would escape it, and without what separates fields: hostile text must not look like another field.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == ' ') out.append("\\u0020");
    else if (c == '=') out.append("\\u003d");
    else append_json_text(out, {&c, 1});
  }
}

/// Its first `longest` characters without keys. A key that is cut is none any more to who looks for keys: they are masked first.
std::string without_keys(std::string_view text, std::size_t longest) {
  static constexpr std::size_t longest_key = 256;
  std::string masked = mask_keys(text.substr(0, longest + longest_key));
  masked.resize(std::min(masked.size(), longest));
  return masked;
}

void append_safe(std::string& out, std::string_view text, std::size_t longest) {
  if (text.empty()) out.push_back('-');
  else if (text.size() <= longest && is_plain(text)) out.append(text);
  else append_escaped(out, without_keys(text, longest));
}

/// Microseconds as milliseconds with one digit behind the point.
void append_ms(std::string& out, std::uint64_t microseconds) {
  append_number(out, microseconds / 1000);
  out.push_back('.');
  out.push_back(static_cast<char>('0' + microseconds / 100 % 10));
}

}  // namespace

AccessLog::AccessLog(int descriptor, bool json) : descriptor_(descriptor), json_(json), thread_([this] { run(); }) {
  collected_.reserve(2 * hand_over_at);
}

AccessLog::~AccessLog() {
  flush();
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void AccessLog::append_time(WallTime time) {
  const std::int64_t ms = to_unix_ms(time);
  if (ms / 1000 != shown_second_) {
    shown_second_ = ms / 1000;
    const auto second = static_cast<std::time_t>(shown_second_);
    std::tm parts{};
    gmtime_r(&second, &parts);
    std::strftime(shown_time_, sizeof shown_time_, "%Y-%m-%dT%H:%M:%S", &parts);
  }
  const auto fraction = static_cast<unsigned>(ms % 1000);
  const char digits[] = {'.', static_cast<char>('0' + fraction / 100), static_cast<char>('0' + fraction / 10 % 10),
                         static_cast<char>('0' + fraction % 10), 'Z'};
  collected_.append(shown_time_).append(digits, sizeof digits);
}

void AccessLog::append_text(const AccessRecord& r) {
  std::string& out = collected_;
  append_time(r.time);
  const auto field = [&out](std::string_view name, std::string_view value, std::size_t longest = max_short) {
    out.append(name);
    append_safe(out, value, longest);
  };
  const auto number = [&out](std::string_view name, std::uint64_t value) {
    out.append(name);
    append_number(out, value);
  };
  const auto span = [&out](std::string_view name, std::uint64_t microseconds) {
    out.append(name);
    append_ms(out, microseconds);
    out.append("ms");
  };
  field(" ", r.method);
  field(" ", r.path, max_path);
  number(" ", r.status);
  field(" account=", r.account);
  field(" model=", r.model);
  number(" key=", static_cast<std::uint64_t>(r.key_id));
  number(" attempts=", r.attempts);
  field(" reason=", r.reason);
  number(" in=", r.bytes_in);
  number(" out=", r.bytes_out);
  span(" took=", r.duration_us);
  span(" first=", r.first_byte_us);
  span(" upstream=", r.upstream_us);
  field(" client=", r.client);
  field(" id=", r.request_id);
  field(" trace=", r.trace);
  out.push_back('\n');
}

void AccessLog::append_json(const AccessRecord& r) {
  std::string& out = collected_;
  out.append(R"({"time":")");
  append_time(r.time);
  out.push_back('"');
  const auto field = [&out](std::string_view name, std::string_view value, std::size_t longest = max_short) {
    out.append(name);
    append_json_text(out, without_keys(value, longest));
    out.push_back('"');
  };
  const auto number = [&out](std::string_view name, std::uint64_t value) {
    out.append(name);
    append_number(out, value);
  };
  const auto span = [&out](std::string_view name, std::uint64_t microseconds) {
    out.append(name);
    append_ms(out, microseconds);
  };
  field(R"(,"method":")", r.method);
  field(R"(,"path":")", r.path, max_path);
  number(R"(,"status":)", r.status);
  field(R"(,"account":")", r.account);
  field(R"(,"model":")", r.model);
  number(R"(,"key":)", static_cast<std::uint64_t>(r.key_id));
  number(R"(,"attempts":)", r.attempts);
  field(R"(,"reason":")", r.reason);
  number(R"(,"in":)", r.bytes_in);
  number(R"(,"out":)", r.bytes_out);
  span(R"(,"took_ms":)", r.duration_us);
  span(R"(,"first_ms":)", r.first_byte_us);
  span(R"(,"upstream_ms":)", r.upstream_us);
  field(R"(,"client":")", r.client);
  field(R"(,"id":")", r.request_id);
  field(R"(,"trace":")", r.trace);
  out.append("}\n");
}

void AccessLog::write(const AccessRecord& record) {
  if (!enabled_) return;
  if (json_) append_json(record);
  else append_text(record);
  ++collected_lines_;
  if (collected_.size() >= hand_over_at) flush();
}

void AccessLog::flush() {
  if (collected_.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + collected_.size() > most_waiting) {
      dropped_ += collected_lines_;
    } else if (waiting_.empty()) {
      // Trading buffers: in steady state no memory is taken or given back.
      waiting_.swap(collected_);
    } else {
      waiting_.append(collected_);
    }
  }
  collected_.clear();
  collected_lines_ = 0;
  wake_.notify_one();
}

void AccessLog::run() {
  std::string writing;
  for (;;) {
    bool stopping = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
      stopping = stop_;
      writing.clear();
      writing.swap(waiting_);
    }
    if (writing.empty() && stopping) return;
    // Until we are to stop, a reader may take as long as it likes.
    std::string_view left = writing;
    for (bool is_last_try = stopping; !write_patiently(descriptor_, left, is_last_try ? 2'000 : 500);) {
      if (is_last_try) return;
      const std::lock_guard lock(mutex_);
      is_last_try = stop_;
    }
  }
}

}  // namespace proxyxai
